package decompose

import (
	"math"

	"pare/calib"

	"gonum.org/v1/gonum/mat"
)

// How much errors count that no statistics speak of, relative to the mean variance:
// what a layer does to the network is not only what its results differ by on
// average. Where filters have several taps, channels that vary little matter more
// than their variance says.
const (
	ridgeOfPairs   = 0.1
	ridgeOfMoments = 1
)

// pairChannels bounds the covariances that are factorised.
const pairChannels = 1024

// metric is that of a layer; seen is what was observed of its data, nil for
// nothing.
func (q *Settings) metric(s *site, seen *calib.Observed) metric {
	var m metric
	centred := q.Correct && biasOf(s.layer) != nil
	switch {
	case q.Weighted == "none" || s.input.mean == nil:
	case q.Weighted == "pairs" && pairwise(s, seen):
		m.channels = newFactor(s.input.ridged(seen.Pairs.Covariance(), centred))
	default:
		if d := s.input.deviation(centred); d != nil {
			m.channels = &factor{diagonal: d}
		}
	}
	dilations := s.layer.Node.Ints("dilations")
	for k, size := range s.taps {
		dilation := 1
		if k < len(dilations) {
			dilation = dilations[k]
		}
		m.taps = append(m.taps, smooth(size, dilation, q.Smooth))
	}
	return m
}

// pairwise reports whether the covariance of a layer's channels is of use.
func pairwise(s *site, seen *calib.Observed) bool {
	return s.tapCount() == 1 && s.in <= pairChannels && seen != nil && seen.Pairs != nil && seen.Count > 0
}

// ridged is the covariance c, of which the means are part unless it is centred,
// with all channels varying on their own, too.
func (m moments) ridged(c *mat.SymDense, centred bool) *mat.SymDense {
	n := c.SymmetricDim()
	ridge := ridgeOfPairs * mat.Trace(c) / float64(n)
	for i := range n {
		for j := i; !centred && j < n; j++ {
			c.SetSym(i, j, c.At(i, j)+m.mean[i]*m.mean[j])
		}
		c.SetSym(i, i, c.At(i, i)+ridge)
	}
	return c
}

// deviation is that of what each channel brings in: around its mean where the bias
// takes care of that, else around zero; nil where nothing varies.
func (m moments) deviation(centred bool) []float64 {
	out, mean := make([]float64, len(m.variance)), 0.0
	for c, v := range m.variance {
		if !centred {
			v += m.mean[c] * m.mean[c]
		}
		out[c] = v
		mean += v / float64(len(out))
	}
	if !(mean > 0) || math.IsInf(mean, 0) {
		return nil
	}
	for c := range out {
		out[c] = math.Sqrt(out[c] + ridgeOfMoments*mean)
	}
	return out
}
