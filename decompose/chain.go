package decompose

import (
	"math"

	"pare/ir"

	"gonum.org/v1/gonum/mat"
)

// chain is what takes a layer's place.
type chain struct {
	links   []link
	between []*ir.Stats // of what lies behind each link but the last; nil where not known
	missing []float64   // what the result lacks on average; nil where not known
	lost    float64     // as that of an option, but of what was made
}

// newChain makes a chain of links that stand for the whitened weights of a layer.
func (s *site) newChain(links []link) *chain {
	c := &chain{links: links}
	spread := s.deviations(links)
	for i := range links {
		s.metric.restore(&links[i], i == 0)
	}
	if s.input.mean == nil {
		return c
	}
	mean := s.input.mean
	for i := range links {
		mean = links[i].means(mean)
		if i < len(links)-1 {
			c.between = append(c.between, &ir.Stats{Axis: dataAxis(s.layer), Mean: mean, Std: spread[i], Source: "factors of " + s.layer.Name})
		}
	}
	whole := link{weight: s.weight(), shape: s.shape(), group: 1}
	c.missing = whole.means(s.input.mean)
	for o := range c.missing {
		c.missing[o] -= mean[o]
	}
	return c
}

// deviations are those of what each link but the last computes of data that the
// metric makes white, by channel.
func (s *site) deviations(links []link) (out [][]float64) {
	if s.input.mean == nil {
		return nil
	}
	x, shape := links[0].weight, links[0].shape
	if s.metric.channels == nil {
		x = scaled(x, shape, 1, roots(s.input.variance))
	}
	covariance := outer(general(shape[0], len(x)/shape[0], x))
	for i := 1; ; i++ {
		list := make([]float64, covariance.SymmetricDim())
		for k := range list {
			list[k] = covariance.At(k, k)
		}
		if out = append(out, roots(list)); i == len(links)-1 {
			return out
		}
		covariance = links[i].carry(covariance)
	}
}

func roots(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Sqrt(max(0, v))
	}
	return out
}

// carry is the covariance of what a link computes of data with the given one that
// differ from tap to tap.
func (l *link) carry(covariance *mat.SymDense) *mat.SymDense {
	out := mat.NewDense(l.shape[0], l.shape[0], nil)
	for t := range l.taps() {
		var half, part mat.Dense
		m := l.tap(t)
		half.Mul(m, covariance)
		part.Mul(&half, m.T())
		out.Add(out, &part)
	}
	return mat.NewSymDense(l.shape[0], out.RawMatrix().Data)
}

// means are those of what a link computes of channels with the given ones.
func (l *link) means(of []float64) []float64 {
	out := make([]float64, l.shape[0])
	per := len(out) / l.group
	for at, w := range l.weight {
		o, i := at/(l.shape[1]*l.taps()), at/l.taps()%l.shape[1]
		out[o] += w * of[o/per*l.shape[1]+i]
	}
	return out
}

// taps is the number of taps of a filter.
func (l *link) taps() int { return behind(l.shape, 1) }

// tap is the matrix of one tap: filters by channels.
func (l *link) tap(t int) *mat.Dense {
	per := l.shape[0] / l.group
	m := mat.NewDense(l.shape[0], l.shape[1]*l.group, nil)
	for o := range l.shape[0] {
		for i := range l.shape[1] {
			m.Set(o, o/per*l.shape[1]+i, l.weight[(o*l.shape[1]+i)*l.taps()+t])
		}
	}
	return m
}
