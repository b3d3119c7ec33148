package decompose

import (
	"math"

	"pare/calib"
	"pare/compress"
	"pare/ir"
)

// statistics knows what layers read: measured, or told by the network itself.
type statistics struct {
	env   *compress.Env
	table *calib.Table
}

func newStatistics(m *ir.Model, env *compress.Env) *statistics {
	return &statistics{env: env, table: calib.Propagate(m, calib.Options{InputLo: env.Input.Lo, InputHi: env.Input.Hi})}
}

// of returns mean and variance of the channels along an axis of v; nil where they
// are not known.
func (s *statistics) of(v *ir.Value, axis, channels int) moments {
	known, _ := s.table.Stats(v)
	if o := s.env.Observed[v]; o != nil && o.Count > 0 {
		known = o.Stats()
	}
	if known == nil || len(known.Mean) != len(known.Std) {
		return moments{}
	}
	out := moments{mean: make([]float64, channels), variance: make([]float64, channels)}
	for c := range channels {
		from := c
		if len(known.Mean) == 1 && v.Producer() == nil {
			from = 0 // the declared range of the input
		} else if len(known.Mean) != channels || known.Axis != axis {
			return moments{}
		}
		out.mean[c], out.variance[c] = known.Mean[from], known.Std[from]*known.Std[from]
	}
	return out
}

// dataAxis is the axis along which the channels of a layer's data lie.
func dataAxis(l *compress.Layer) int {
	if l.Kind == compress.Dense {
		return l.Node.In[0].Type.Rank() - 1
	}
	return 1
}

// leastVariance is the share of the mean variance that every channel is taken to
// have: one that seems constant may not be.
const leastVariance = 1e-4

// deviation is that of what each channel brings in: around its mean where
// the bias takes care of that, else around zero; nil where it is not known.
func (m moments) deviation(centred bool) []float64 {
	out, sum := make([]float64, len(m.variance)), 0.0
	for c, v := range m.variance {
		if !centred {
			v += m.mean[c] * m.mean[c]
		}
		out[c] = v
		sum += v / float64(len(out))
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil
	}
	for c := range out {
		out[c] = math.Sqrt(max(out[c], leastVariance*sum))
	}
	return out
}
