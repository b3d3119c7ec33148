package quant

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"pare/calib"
	"pare/compress"
	"pare/group"
	"pare/ir"
	"pare/op"
)

func init() {
	compress.Register(compress.Info{
		Name: "spiq",
		Kind: compress.Rescaling,
		Doc:  "let weights take up the ranges of the channels they read, so that one scale fits all channels",
		Ref:  "[yvinec23b] SPIQ: Data-Free Per-Channel Static Input Quantization, arXiv:2203.14642",
		New: func() compress.Method {
			return &SPIQ{W: 8, A: 8, Kappa: "auto", Share: "max", Clip: "bound", Form: "diagonal"}
		},
	})
}

// SPIQ is static input quantisation per channel [yvinec23b]. In its diagonal form
// each channel is divided by its range, which the layers that read it multiply
// back; what follows may quantise the tensor with a single scale. Per axis it
// quantises the data itself, see axisForm.
type SPIQ struct {
	W     int     `json:"w" doc:"bits that the weights will have, 2 to 8, for kappa=auto"`
	A     int     `json:"a" doc:"bits that the data will have, 2 to 8; sets the width of ranges"`
	K     float64 `json:"k" doc:"standard deviations within the range of a channel; 0 for 6 at 8 bits down to 3 at 4, with form=axis for 8 down to 3"`
	Kappa string  `json:"kappa" doc:"part of the ranges that weights take up: 1 for all, 0 for none, auto for the least expected error of each tensor" values:"auto|number"`
	Share string  `json:"share" doc:"share that a channel of several tensors has of their ranges: the largest, so that none grows, or the geometric mean" values:"max|mean"`
	Form  string  `json:"form" doc:"diagonal: channels that belong together are divided once for all tensors; axis: every tensor is quantised here, with a scale per channel, for a step behind that quantises weights alone" values:"diagonal|axis"`
	Clip  string  `json:"clip" doc:"channels that pass a Clip such as ReLU6: give each its own bound, or leave them alone" values:"bound|leave"`
}

// Validate implements compress.Method.
func (q *SPIQ) Validate() error {
	switch {
	case q.W < 2 || q.W > 8:
		return fmt.Errorf("w=%d is not in 2..8", q.W)
	case q.A < 2 || q.A > 8:
		return fmt.Errorf("a=%d is not in 2..8", q.A)
	case q.K != 0 && (q.K < 1 || q.K > 20):
		return fmt.Errorf("k=%v is neither 0 nor in 1..20", q.K)
	}
	if k, err := strconv.ParseFloat(q.Kappa, 64); err == nil && !(k >= 0 && k <= 1) {
		return fmt.Errorf("kappa=%v is not in 0..1", k)
	}
	return nil
}

// Needs implements compress.Calibrated: what layers read, by channel.
func (q *SPIQ) Needs(m *ir.Model, _ *compress.Env) []calib.Request {
	if _, err := op.Infer(m); err != nil {
		return nil // Apply reports it
	}
	a := group.Analyse(m, group.Rescaling)
	var out []calib.Request
	read := readTensors(compress.Layers(m))
	for _, v := range append(read, jointTensors(m, read)...) {
		if axis, _, ok := a.Channels(v); ok {
			out = append(out, calib.Request{Value: v, Axis: axis, Moments: true})
		}
	}
	return out
}

// Prepare implements compress.Prepared: scales along an axis need opset 13.
func (q *SPIQ) Prepare(m *ir.Model, env *compress.Env) error {
	if q.Form == perAxis {
		return env.Raise(m, 13)
	}
	return nil
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
	if q.Form == perAxis {
		return q.quantise(ctx, r)
	}
	s := newSPIQ(r, newReaches(m, env, k))
	read := readTensors(r.layers)
	for _, v := range append(read, jointTensors(m, read)...) {
		s.look(v, q.Share == "max")
	}
	kappa, err := strconv.ParseFloat(q.Kappa, 64)
	powers := filled(len(r.scale), kappa)
	if err != nil {
		powers = s.powers(q.W, q.A)
	}
	s.settle(powers)
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

// jointTensors lists what sums, concatenations and the like read and compute,
// which is quantised as well, but for what a list holds already.
func jointTensors(m *ir.Model, but []*ir.Value) []*ir.Value {
	var out []*ir.Value
	for _, n := range m.Graph.Nodes {
		if roleOf(n) != joint {
			continue
		}
		for _, v := range append(data(n), n.Out[0]) {
			if !slices.Contains(but, v) && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// spiq gathers the ranges of units.
type spiq struct {
	*rescaling
	*reaches
	logs    []float64 // by unit, of its share of the range of tensors: sum or largest
	count   []int     // of tensors
	tensors []ranged
}

// ranged is a tensor that layers read, with its channels.
type ranged struct {
	v             *ir.Value
	units         []int
	reach, square []float64 // by channel: largest magnitude, mean square
}

func newSPIQ(r *rescaling, reach *reaches) *spiq {
	return &spiq{rescaling: r, reaches: reach, logs: make([]float64, len(r.scale)), count: make([]int, len(r.scale))}
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
	s.tensors = append(s.tensors, ranged{v, units, reach, s.squares(v)})
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

// share is the range of a unit relative to the tensors that hold it, as a
// logarithm; ok is false where it stays as it is.
func (s *spiq) share(u int) (x float64, ok bool) {
	if !s.free[u] || s.why[u] != "" || s.count[u] == 0 {
		return 0, false
	}
	return s.logs[u] / float64(s.count[u]), true
}

// settle turns shares into scales: to the given powers, and to the first where
// only depthwise layers read a unit, as their filters have a scale per channel.
func (s *spiq) settle(powers []float64) {
	dense := make([]bool, len(s.scale))
	for _, l := range s.a.Links {
		for _, u := range l.Units {
			dense[u] = dense[u] || l.Role == group.Column && l.Groups < len(l.Units)
		}
	}
	for u := range s.scale {
		x, ok := s.share(u)
		if !ok {
			continue
		}
		power := 1.0
		if dense[u] {
			power = powers[u]
		}
		s.scale[u] = math.Exp(-power * x)
	}
}
