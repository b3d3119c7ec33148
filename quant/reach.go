package quant

import (
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/ir"
)

// reaches knows how large channels get.
type reaches struct {
	table    *calib.Table
	observed map[*ir.Value]*calib.Observed
	k        float64
	made     bool // statistics come from made-up samples
}

// Least ranges that count, relative to the largest of the tensor: channels that
// hardly move would otherwise fill weights with huge numbers, and those that
// made-up samples leave silent may be loud on real ones.
const (
	quietRange = 1e-3
	madeRange  = 0.5
)

func newReaches(m *ir.Model, env *compress.Env, k float64) *reaches {
	return &reaches{table: propagated(m, env, k), observed: env.Observed, k: k, made: env.Observed == nil && madeUp(m)}
}

// reach is the largest magnitude of each channel of v, of what was observed or of
// what follows from the network.
func (s *reaches) reach(v *ir.Value, axis, channels int) ([]float64, string) {
	st, why := s.stats(v, axis, channels)
	if st == nil {
		return nil, why
	}
	out := make([]float64, channels)
	for c := range out {
		out[c] = max(st.Hi[c], -st.Lo[c])
	}
	least := quietRange * median(out)
	if s.made {
		least = madeRange * slices.Max(out)
	}
	for c := range out {
		if out[c] = max(out[c], least); !(out[c] > 0) {
			return nil, "they are 0"
		}
	}
	return out, ""
}

// stats are the statistics of each channel of v.
func (s *reaches) stats(v *ir.Value, axis, channels int) (*ir.Stats, string) {
	st, why := s.table.Stats(v)
	if o := s.observed[v]; o != nil && o.Count > 0 {
		st = normalRange(o.Stats(), s.k)
	}
	switch {
	case st == nil:
		return nil, why
	case st.Axis != axis || len(st.Lo) != channels:
		return nil, "they are known as a whole only"
	}
	return st, ""
}

// squares are the mean squares of the channels of a value whose reach is known.
func (s *reaches) squares(v *ir.Value) []float64 {
	st, _ := s.table.Stats(v)
	if o := s.observed[v]; o != nil && o.Count > 0 {
		st = o.Stats()
	}
	out := make([]float64, len(st.Mean))
	for c := range out {
		out[c] = st.Mean[c]*st.Mean[c] + st.Std[c]*st.Std[c]
	}
	return out
}

// normalRange narrows an observed range to k deviations about the mean.
func normalRange(s *ir.Stats, k float64) *ir.Stats {
	out := &ir.Stats{Axis: s.Axis, Mean: s.Mean, Std: s.Std, Source: s.Source}
	for c := range s.Mean {
		out.Lo = append(out.Lo, max(s.Lo[c], s.Mean[c]-k*s.Std[c]))
		out.Hi = append(out.Hi, min(s.Hi[c], s.Mean[c]+k*s.Std[c]))
	}
	return out
}

func median(x []float64) float64 {
	y := slices.Sorted(slices.Values(x))
	return y[len(y)/2]
}
