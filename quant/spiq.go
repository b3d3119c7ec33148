package quant

import (
	"context"
	"fmt"
	"math"
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/group"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "spiq",
		Doc:  "let weights take up the ranges of the channels they read, so that one scale fits all channels",
		Ref:  "[yvinec23b] SPIQ: Data-Free Per-Channel Static Input Quantization, arXiv:2203.14642",
		New:  func() compress.Method { return &SPIQ{A: 8, Kappa: 1, Share: "mean", Clip: "bound"} },
	})
}

// SPIQ is static input quantisation per channel [yvinec23b] in its diagonal form:
// each channel is divided by its range, which the layers that read it multiply
// back. What follows may quantise the tensor with a single scale.
type SPIQ struct {
	A     int     `json:"a" doc:"bits that the data will have, 2 to 8; sets the width of ranges"`
	K     float64 `json:"k" doc:"standard deviations within the range of a channel; 0 for 6 at 8 bits down to 3 at 4"`
	Kappa float64 `json:"kappa" doc:"part of the ranges that weights take up: 1 for all, 0 for none; depthwise layers take up all"`
	Share string  `json:"share" doc:"range of a channel that several tensors share: geometric mean of its share of each, or the largest" values:"mean|max"`
	Clip  string  `json:"clip" doc:"channels that pass a Clip such as ReLU6: give each its own bound, or leave them alone" values:"bound|leave"`
}

// Validate implements compress.Method.
func (q *SPIQ) Validate() error {
	switch {
	case q.A < 2 || q.A > 8:
		return fmt.Errorf("a=%d is not in 2..8", q.A)
	case q.K != 0 && (q.K < 1 || q.K > 20):
		return fmt.Errorf("k=%v is neither 0 nor in 1..20", q.K)
	case q.Kappa < 0 || q.Kappa > 1:
		return fmt.Errorf("kappa=%v is not in 0..1", q.Kappa)
	}
	return nil
}

// quietRange is the least range of a channel, relative to the median of its
// tensor: channels that hardly move would otherwise fill weights with huge
// numbers.
const quietRange = 1e-3

// Needs implements compress.Calibrated: what layers read, by channel.
func (q *SPIQ) Needs(m *ir.Model) []calib.Request {
	a := group.Analyse(m, group.Rescaling)
	var out []calib.Request
	for _, v := range readTensors(compress.Layers(m)) {
		if axis, _, ok := a.Channels(v); ok {
			out = append(out, calib.Request{Value: v, Axis: axis})
		}
	}
	return out
}

// Apply implements compress.Method.
func (q *SPIQ) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if err := complete(ctx, m, env); err != nil {
		return err
	}
	r, err := newRescaling(m, env, q.Clip == "bound")
	if err != nil {
		return err
	}
	k := q.K
	if k == 0 {
		k = deviations(q.A)
	}
	s := &spiq{rescaling: r, table: propagated(m, env, k), k: k, logs: make([]float64, len(r.scale)), count: make([]int, len(r.scale))}
	for _, v := range readTensors(r.layers) {
		s.look(v, q.Share == "max")
	}
	s.settle(q.Kappa)
	return r.apply(ctx)
}

// readTensors lists what layers read, each once.
func readTensors(layers []compress.Layer) []*ir.Value {
	var out []*ir.Value
	for _, l := range layers {
		if l.Kind == compress.Embedding || l.Kind == compress.Other {
			continue
		}
		if v := l.Node.In[l.Input]; !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// spiq gathers the ranges of units.
type spiq struct {
	*rescaling
	table *calib.Table
	k     float64
	logs  []float64 // by unit, of its share of the range of tensors: sum or largest
	count []int     // of tensors
}

// look takes in the ranges of the channels of a tensor, relative to its largest,
// or to its largest pinned one where there are such.
func (s *spiq) look(v *ir.Value, largest bool) {
	axis, units, ok := s.a.Channels(v)
	if !ok {
		return
	}
	reach, why := s.reach(v, axis, len(units))
	if why != "" {
		s.lock(units, fmt.Sprintf("the ranges of the channels of %q are not known: %s", v.Name, why))
		return
	}
	base := 0.0
	for c, u := range units {
		if !s.free[u] {
			base = max(base, reach[c])
		}
	}
	if base == 0 {
		base = slices.Max(reach)
	}
	if base == 0 {
		return
	}
	for c, u := range units {
		x := math.Log(reach[c] / base)
		switch {
		case !largest || s.count[u] == 0:
			s.logs[u] += x
		default:
			s.logs[u] = max(s.logs[u], x)
		}
		if !largest || s.count[u] == 0 {
			s.count[u]++
		}
	}
}

// reach is the largest magnitude of each channel of v, of what was observed or of
// what follows from the network.
func (s *spiq) reach(v *ir.Value, axis, channels int) ([]float64, string) {
	st, why := s.table.Stats(v)
	if o := s.env.Observed[v]; o != nil && o.Count > 0 {
		st = normalRange(o.Stats(), s.k)
	}
	switch {
	case st == nil:
		return nil, why
	case st.Axis != axis || len(st.Lo) != channels:
		return nil, "they are known as a whole only"
	}
	out := make([]float64, channels)
	for c := range out {
		out[c] = max(st.Hi[c], -st.Lo[c])
	}
	least := quietRange * median(out)
	for c := range out {
		if out[c] = max(out[c], least); !(out[c] > 0) {
			return nil, "they are 0"
		}
	}
	return out, ""
}

// normalRange narrows an observed range to k deviations about the mean.
func normalRange(s *ir.Stats, k float64) *ir.Stats {
	for c := range s.Mean {
		s.Lo[c], s.Hi[c] = max(s.Lo[c], s.Mean[c]-k*s.Std[c]), min(s.Hi[c], s.Mean[c]+k*s.Std[c])
	}
	return s
}

func median(x []float64) float64 {
	y := slices.Sorted(slices.Values(x))
	return y[len(y)/2]
}

// settle turns shares into scales. What depthwise layers read alone is divided
// by its whole range, as their filters have a scale per channel.
func (s *spiq) settle(kappa float64) {
	dense := make([]bool, len(s.scale))
	for _, l := range s.a.Links {
		for _, u := range l.Units {
			dense[u] = dense[u] || l.Role == group.Column && l.Groups < len(l.Units)
		}
	}
	for u := range s.scale {
		if !s.free[u] || s.why[u] != "" || s.count[u] == 0 {
			continue
		}
		power := 1.0
		if dense[u] {
			power = kappa
		}
		s.scale[u] = math.Exp(-power * s.logs[u] / float64(s.count[u]))
	}
}
