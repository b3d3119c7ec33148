package calib

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// apply makes the value g(s) element by element: a function of s's root, whose
// moments follow by quadrature and whose range by a walk over the root's.
func apply(s *state, g func(c int, y float64) float64) *state {
	fn := g
	if inner := s.fn; inner != nil {
		fn = func(c int, x float64) float64 { return g(c, inner(c, x)) }
	}
	return s.root.derive(s.Axis, fn)
}

func (root *state) derive(axis int, fn func(c int, x float64) float64) *state {
	n := len(root.Mean)
	s := &ir.Stats{Axis: axis, Source: root.Source, Mean: make([]float64, n), Std: make([]float64, n), Lo: make([]float64, n), Hi: make([]float64, n)}
	return &state{Stats: s, root: root, fn: fn, settle: sync.OnceValue(func() string {
		par.Each(n, runtime.GOMAXPROCS(0), func(c int) {
			f := func(x float64) float64 { return fn(c, x) }
			s.Mean[c], s.Std[c] = moments(root.Mean[c], root.Std[c], f)
			s.Lo[c], s.Hi[c] = extremes(root.Lo[c], root.Hi[c], f)
		})
		return unlimited(s)
	})}
}

// unary is the rule of a function of one operand. bound gives the range of the
// function where it has one whatever the operand is.
func unary(f func(x float64) float64, bound ...float64) rule {
	return func(w *walk, n *ir.Node) (*state, string) {
		s, why := w.element(n, 0)
		if s != nil {
			return apply(s, func(_ int, x float64) float64 { return f(x) }), ""
		}
		if len(bound) == 2 {
			return bounded(bound[0], bound[1], n.Op), ""
		}
		return nil, why
	}
}

// bounded is a value of which only the range is known.
func bounded(lo, hi float64, op string) *state {
	s := &ir.Stats{Axis: -1, Source: "range of " + op, Lo: []float64{lo}, Hi: []float64{hi}}
	s.Mean, s.Std = uniformLaw(s.Lo, s.Hi)
	return newRoot(s)
}

// clip is the rule of Relu, and of Clip with the bounds that limits finds.
func clip(limits func(n *ir.Node) (lo, hi float64, ok bool)) rule {
	return func(w *walk, n *ir.Node) (*state, string) {
		lo, hi, ok := limits(n)
		if !ok {
			return nil, "its bounds are computed"
		}
		s, why := w.element(n, 0)
		if s == nil {
			if math.IsInf(lo, 0) || math.IsInf(hi, 0) {
				return nil, why
			}
			return bounded(lo, hi, n.Op), ""
		}
		return s.piecewise(func(_ int, x float64) float64 { return min(max(x, lo), hi) },
			func(_ int, mean, std float64) (float64, float64) { return clipMoments(mean, std, lo, hi) }), ""
	}
}

// piecewise is apply for a monotone function with kinks, whose moments are
// known where s is normal itself.
func (s *state) piecewise(f func(c int, x float64) float64, exact func(c int, mean, std float64) (m, d float64)) *state {
	if s.fn != nil {
		return apply(s, f)
	}
	n := len(s.Mean)
	out := &ir.Stats{Axis: s.Axis, Source: s.Source, Mean: make([]float64, n), Std: make([]float64, n), Lo: make([]float64, n), Hi: make([]float64, n)}
	for c := range n {
		a, b := f(c, s.Lo[c]), f(c, s.Hi[c])
		out.Lo[c], out.Hi[c] = min(a, b), max(a, b)
		if a == s.Lo[c] && b == s.Hi[c] { // nothing is cut off
			out.Mean[c], out.Std[c] = s.Mean[c], s.Std[c]
		} else {
			out.Mean[c], out.Std[c] = exact(c, s.Mean[c], s.Std[c])
		}
	}
	return &state{Stats: out, root: s, fn: f, settle: func() string { return unlimited(out) }}
}

func reluLimits(*ir.Node) (lo, hi float64, ok bool) { return 0, math.Inf(1), true }

// clipLimits reads the bounds of Clip from attributes (up to opset 10) or
// constant operands.
func clipLimits(n *ir.Node) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(-1), math.Inf(1)
	if n.Has("min") {
		lo = float64(n.Float("min", 0))
	}
	if n.Has("max") {
		hi = float64(n.Float("max", 0))
	}
	for i, bound := range []*float64{&lo, &hi} {
		if i+1 >= len(n.In) || n.In[i+1] == nil {
			continue
		}
		c := constOf(n.In[i+1])
		if c == nil || c.Len() != 1 {
			return 0, 0, false
		}
		*bound = tensor.Float64s(c)[0]
	}
	return lo, hi, lo <= hi
}

// constOf is the data of a constant, be it an initialiser or a Constant node.
func constOf(v *ir.Value) *tensor.Tensor {
	if v == nil || v.Const != nil {
		if v == nil {
			return nil
		}
		return v.Const
	}
	if p := v.Producer(); p != nil && p.Op == "Constant" {
		return p.Tensor("value")
	}
	return nil
}

func leaky(w *walk, n *ir.Node) (*state, string) {
	s, why := w.element(n, 0)
	if s == nil {
		return nil, why
	}
	slope := func(int) float64 { return float64(n.Float("alpha", 0.01)) }
	if n.Op == "PRelu" {
		c := constOf(n.In[1])
		if c == nil {
			return nil, "its slope is computed"
		}
		list, ok := w.channels(c, s, n.In[0])
		if !ok {
			return nil, "its slope varies along another axis"
		}
		slope = func(c int) float64 { return list[min(c, len(list)-1)] }
	}
	return s.piecewise(func(c int, x float64) float64 {
		if x < 0 {
			x *= slope(c)
		}
		return x
	}, func(c int, mean, std float64) (float64, float64) { return leakyMoments(mean, std, slope(c)) }), ""
}

// channels returns the numbers of a constant per channel of s, one number when
// it is a scalar; ok is false when the constant varies along other axes.
func (w *walk) channels(c *tensor.Tensor, s *state, v *ir.Value) ([]float64, bool) {
	x := tensor.Float64s(c)
	if len(x) == 1 {
		return x, true
	}
	rank := v.Type.Rank()
	if rank < 0 {
		rank = max(4, c.Rank())
	}
	if s.Axis < 0 || len(x) != len(s.Mean) {
		return nil, false
	}
	at := s.Axis - (rank - c.Rank())
	return x, at >= 0 && at < c.Rank() && c.Shape[at] == len(x)
}

// binary is the rule of Add, Sub, Mul and Div.
func binary(f func(a, b float64) float64) rule {
	return func(w *walk, n *ir.Node) (*state, string) {
		if len(n.In) != 2 {
			return nil, "an operand is missing"
		}
		if s := w.normForm(n); s != nil {
			return s, ""
		}
		for i := range 2 {
			if c := constOf(n.In[i]); c != nil && c.Type.IsFloat() {
				return w.withConst(n, c, 1-i, f)
			}
		}
		a, why := w.element(n, 0)
		if a == nil {
			return nil, why
		}
		b, why := w.element(n, 1)
		if b == nil {
			return nil, why
		}
		if a.root == b.root && a.Axis == b.Axis {
			return a.root.derive(a.Axis, func(c int, x float64) float64 { return f(a.at(c, x), b.at(c, x)) }), ""
		}
		return w.independent(n, a, b)
	}
}

// at is the value for the element x of the root in channel c.
func (s *state) at(c int, x float64) float64 {
	if s.fn == nil {
		return x
	}
	return s.fn(c, x)
}

// withConst combines operand i with a constant.
func (w *walk) withConst(n *ir.Node, c *tensor.Tensor, i int, f func(a, b float64) float64) (*state, string) {
	s, why := w.element(n, i)
	if s == nil {
		return nil, why
	}
	if list, ok := w.channels(c, s, n.In[i]); ok {
		return apply(s, func(k int, x float64) float64 {
			y := list[min(k, len(list)-1)]
			if i == 0 {
				return f(x, y)
			}
			return f(y, x)
		}), ""
	}
	if n.Op != "Add" && n.Op != "Sub" {
		return nil, "its constant varies along other axes than the channels"
	}
	// A constant that varies along other axes counts by its own moments.
	k := newRoot(constStats(c))
	if i == 0 {
		return w.independent(n, s, k)
	}
	return w.independent(n, k, s)
}

// constStats are the statistics of a constant as a whole.
func constStats(c *tensor.Tensor) *ir.Stats {
	o := newObserved(-1, true)
	if err := o.add(c); err != nil || o.Count == 0 {
		return &ir.Stats{Axis: -1, Mean: []float64{0}, Std: []float64{0}, Lo: []float64{math.NaN()}, Hi: []float64{math.NaN()}}
	}
	s := o.Stats()
	s.Axis = -1
	return s
}

// independent combines two values that are taken as independent.
func (w *walk) independent(n *ir.Node, a, b *state) (*state, string) {
	for _, s := range []*state{a, b} {
		if why := s.settle(); why != "" {
			return nil, "it follows from a value of which " + why
		}
	}
	a, b = align(a, b)
	if a == nil {
		return nil, "its operands have different channels"
	}
	switch n.Op {
	case "Add", "Sub":
		return w.sum(a, b, n.Op == "Sub"), ""
	case "Mul":
		for _, p := range [][2]*state{{a, b}, {b, a}} {
			if isGate(p[1]) {
				return gated(p[0]), ""
			}
		}
	}
	return nil, fmt.Sprintf("%s of two computed values has no rule", n.Op)
}

// kinship is the correlation that the operands of a sum are taken to have: in
// residual networks both grow with the contrast of the picture, and taken as
// independent the deviation of their sum came out a tenth too small each time.
const kinship = 0.25

// sum adds means, and variances with the covariance of a typical residual sum; the
// range is that of a normal law with them, within what the ranges of the operands
// allow.
func (w *walk) sum(a, b *state, minus bool) *state {
	n := len(a.Mean)
	sign, blo, bhi := 1.0, b.Lo, b.Hi
	if minus {
		sign, blo, bhi = -1, b.Hi, b.Lo
	}
	mean, std := make([]float64, n), make([]float64, n)
	for c := range n {
		mean[c], std[c] = a.Mean[c]+sign*b.Mean[c], math.Sqrt(a.Std[c]*a.Std[c]+b.Std[c]*b.Std[c]+2*sign*kinship*a.Std[c]*b.Std[c])
	}
	s := w.normal(a.Axis, mean, std, "sum of "+a.Source+" and "+b.Source)
	if len(s.Source) > 80 {
		s.Source = "sum"
	}
	for c := range n {
		s.Lo[c] = max(s.Lo[c], a.Lo[c]+sign*blo[c])
		s.Hi[c] = min(s.Hi[c], a.Hi[c]+sign*bhi[c])
	}
	return s
}

func isGate(s *state) bool {
	for c := range s.Lo {
		if s.Lo[c] < 0 || s.Hi[c] > 1 {
			return false
		}
	}
	return true
}

// gated is a value multiplied by a number from 0 to 1.
func gated(s *state) *state {
	t := *s.Stats
	t.Lo, t.Hi = make([]float64, len(s.Lo)), make([]float64, len(s.Hi))
	for c := range s.Lo {
		t.Lo[c], t.Hi[c] = min(s.Lo[c], 0), max(s.Hi[c], 0)
	}
	return newRoot(&t)
}

// align gives two values the same channels: those of one where the other is
// known as a whole only. It returns nil when both have channels, but different
// ones.
func align(a, b *state) (*state, *state) {
	switch {
	case a.Axis == b.Axis && len(a.Mean) == len(b.Mean):
		return a, b
	case len(b.Mean) == 1:
		return a, spread(b, a.Axis, len(a.Mean))
	case len(a.Mean) == 1:
		return spread(a, b.Axis, len(b.Mean)), b
	}
	return nil, nil
}

// spread repeats the only entry of s for n channels.
func spread(s *state, axis, n int) *state {
	rep := func(x []float64) []float64 { return filled(n, x[0]) }
	return newRoot(&ir.Stats{Axis: axis, Source: s.Source, Mean: rep(s.Mean), Std: rep(s.Std), Lo: rep(s.Lo), Hi: rep(s.Hi)})
}
