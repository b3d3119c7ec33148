package calib

import (
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// same is the rule of operators that keep channels and, near enough, their
// statistics: pooling, resizing, casting.
func same(w *walk, n *ir.Node) (*state, string) {
	s, why := w.element(n, 0)
	if s == nil {
		return nil, why
	}
	return s, ""
}

// pooled is same for operators whose result is a value of its own.
func pooled(w *walk, n *ir.Node) (*state, string) {
	s, why := w.operand(n, 0)
	if s == nil {
		return nil, why
	}
	return newRoot(s.Stats), ""
}

// reduceMean keeps what pooling keeps, as long as the channels stay.
func reduceMean(w *walk, n *ir.Node) (*state, string) {
	s, why := w.operand(n, 0)
	if s == nil {
		return nil, why
	}
	axes := axesOf(n)
	rank := n.In[0].Type.Rank()
	before := 0
	for _, a := range axes {
		if a < 0 {
			a += rank
		}
		if a == s.Axis || rank < 0 {
			return collapse(s), ""
		}
		if a < s.Axis {
			before++
		}
	}
	out := *s.Stats
	if len(axes) == 0 {
		return collapse(s), ""
	}
	if n.Int("keepdims", 1) == 0 && s.Axis >= 0 {
		out.Axis -= before
	}
	return newRoot(&out), ""
}

// pad is same with the value padded taken into the range.
func pad(w *walk, n *ir.Node) (*state, string) {
	s, why := w.operand(n, 0)
	if s == nil {
		return nil, why
	}
	if n.Str("mode", "constant") != "constant" {
		return newRoot(s.Stats), ""
	}
	v := float64(n.Float("value", 0))
	if len(n.In) > 2 && n.In[2] != nil {
		c := constOf(n.In[2])
		if c == nil || c.Len() != 1 {
			return nil, "the padded value is computed"
		}
		v = tensor.Float64s(c)[0]
	}
	out := *s.Stats
	if !sameShapeAt(n.In[0].Type, n.Out[0].Type, s.Axis) {
		if wide := padded(n, s, v); wide != nil {
			return wide, ""
		}
		out = *collapse(s).Stats
	}
	out.Lo, out.Hi = append([]float64(nil), out.Lo...), append([]float64(nil), out.Hi...)
	for c := range out.Lo {
		out.Lo[c], out.Hi[c] = min(out.Lo[c], v), max(out.Hi[c], v)
	}
	return newRoot(&out), ""
}

// padded adds channels of the number v, nil where it is not known how many.
func padded(n *ir.Node, s *state, v float64) *state {
	pads, rank := n.Ints("pads"), n.In[0].Type.Rank()
	if len(n.In) > 1 && constOf(n.In[1]) != nil {
		for _, x := range tensor.Float64s(constOf(n.In[1])) {
			pads = append(pads, int(x))
		}
	}
	if rank < 0 || len(pads) != 2*rank || s.Axis < 0 || len(s.Mean) < 2 {
		return nil
	}
	before, behind := pads[s.Axis], pads[rank+s.Axis]
	if before < 0 || behind < 0 {
		return nil
	}
	widen := func(x []float64, with float64) []float64 {
		return slices.Concat(filled(before, with), x, filled(behind, with))
	}
	return newRoot(&ir.Stats{Axis: s.Axis, Source: s.Source, Mean: widen(s.Mean, v), Std: widen(s.Std, 0), Lo: widen(s.Lo, v), Hi: widen(s.Hi, v)})
}

// sameShapeAt reports whether two types certainly have the same size along an
// axis.
func sameShapeAt(a, b ir.Type, axis int) bool {
	return axis < 0 || a.Ranked && b.Ranked && axis < len(a.Shape) && axis < len(b.Shape) && a.Shape[axis].Same(b.Shape[axis])
}

// moved is the rule of operators that move elements around: channels are
// followed where shapes say where they went, else merged.
func moved(w *walk, n *ir.Node) (*state, string) {
	s, why := w.operand(n, 0)
	if s == nil {
		return nil, why
	}
	if len(s.Mean) == 1 {
		return s, ""
	}
	c := len(s.Mean)
	in, out := n.In[0].Type, n.Out[0].Type
	if n.Op == "Transpose" {
		for i, p := range n.Ints("perm") {
			if p == s.Axis {
				return reaxis(s, i), ""
			}
		}
	}
	if in.Ranked && out.Ranked && s.Axis < len(in.Shape) {
		before := product(in.Shape[:s.Axis])
		for i, d := range out.Shape {
			if d.N == c && product(out.Shape[:i]) == before {
				return reaxis(s, i), ""
			}
		}
		// The channel axis merged with what lies behind it.
		behind := product(in.Shape[s.Axis+1:])
		if i := len(out.Shape) - 1; behind > 0 && i >= 0 && out.Shape[i].N == c*behind && product(out.Shape[:i]) == before {
			return repeat(s, i, behind), ""
		}
	}
	return collapse(s), ""
}

// product multiplies known sizes; a symbolic or unknown one makes it a marker
// that only equals itself for the same leading dimension.
func product(shape []ir.Dim) int {
	n := 1
	for _, d := range shape {
		if !d.IsKnown() {
			n *= -7919 // a batch of unknown size, the same before and behind
			continue
		}
		n *= d.N
	}
	return n
}

func reaxis(s *state, axis int) *state {
	t := *s.Stats
	t.Axis = axis
	out := &state{Stats: &t, root: s.root, fn: s.fn, settle: settled}
	if s.root == s {
		out.root = out
	}
	return out
}

func repeat(s *state, axis, times int) *state {
	rep := func(x []float64) []float64 {
		out := make([]float64, 0, len(x)*times)
		for _, v := range x {
			for range times {
				out = append(out, v)
			}
		}
		return out
	}
	return newRoot(&ir.Stats{Axis: axis, Source: s.Source, Mean: rep(s.Mean), Std: rep(s.Std), Lo: rep(s.Lo), Hi: rep(s.Hi)})
}

// collapse merges all channels into one entry: the mixture of their laws.
func collapse(s *state) *state {
	var m1, m2 float64
	lo, hi := math.Inf(1), math.Inf(-1)
	for c := range s.Mean {
		m1 += s.Mean[c]
		m2 += s.Mean[c]*s.Mean[c] + s.Std[c]*s.Std[c]
		lo, hi = min(lo, s.Lo[c]), max(hi, s.Hi[c])
	}
	n := float64(len(s.Mean))
	mean := m1 / n
	return newRoot(&ir.Stats{Axis: -1, Source: s.Source, Mean: []float64{mean}, Std: []float64{math.Sqrt(max(0, m2/n-mean*mean))},
		Lo: []float64{lo}, Hi: []float64{hi}})
}

// concat joins channels, or merges values that lie side by side otherwise.
func concat(w *walk, n *ir.Node) (*state, string) {
	var parts []*state
	for i, v := range n.In {
		s, why := w.operand(n, i)
		if c := constOf(v); s == nil && c != nil && c.Type.IsFloat() {
			s, why = newRoot(constStats(c)), ""
		}
		if s == nil {
			return nil, why
		}
		parts = append(parts, s)
	}
	axis := n.Int("axis", 0)
	if r := n.In[0].Type.Rank(); axis < 0 && r > 0 {
		axis += r
	}
	joined := &ir.Stats{Axis: axis, Source: parts[0].Source}
	for _, s := range parts {
		if s.Axis != axis || len(s.Mean) < 2 {
			return mixture(parts), ""
		}
		joined.Mean, joined.Std = append(joined.Mean, s.Mean...), append(joined.Std, s.Std...)
		joined.Lo, joined.Hi = append(joined.Lo, s.Lo...), append(joined.Hi, s.Hi...)
	}
	return newRoot(joined), ""
}

// mixture is the law of values of which each takes a part of the tensor.
func mixture(parts []*state) *state {
	all := &ir.Stats{Source: parts[0].Source}
	for _, s := range parts {
		s = collapse(s)
		all.Mean, all.Std = append(all.Mean, s.Mean...), append(all.Std, s.Std...)
		all.Lo, all.Hi = append(all.Lo, s.Lo...), append(all.Hi, s.Hi...)
	}
	return collapse(newRoot(all))
}

// split cuts channels where the sizes of the results say where, else merges them.
func split(w *walk, n *ir.Node) (*state, string) {
	s, why := w.operand(n, 0)
	if s == nil {
		for _, v := range n.Out {
			if v != nil {
				w.why[v] = why
			}
		}
		return nil, why
	}
	from := 0
	for _, v := range n.Out {
		if v == nil {
			continue
		}
		size := 0
		if v.Type.Ranked && s.Axis >= 0 && s.Axis < len(v.Type.Shape) {
			size = v.Type.Shape[s.Axis].N
		}
		switch {
		case len(s.Mean) == 1 || size == len(s.Mean):
			w.state[v] = newRoot(s.Stats)
		case size <= 0 || from+size > len(s.Mean):
			w.state[v] = collapse(s)
		default:
			w.state[v] = cut(s, from, from+size)
			from += size
		}
	}
	return w.state[n.Out[0]], ""
}

func cut(s *state, from, to int) *state {
	return newRoot(&ir.Stats{Axis: s.Axis, Source: s.Source, Mean: s.Mean[from:to], Std: s.Std[from:to], Lo: s.Lo[from:to], Hi: s.Hi[from:to]})
}

// part is the rule of Slice and Gather: all channels where the result has as
// many, else all merged.
func part(w *walk, n *ir.Node) (*state, string) {
	s, why := w.operand(n, 0)
	if s == nil {
		if c := constOf(n.In[0]); n.Op == "Gather" && c != nil && c.Type.IsFloat() {
			return newRoot(constStats(c)), "" // an embedding
		}
		return nil, why
	}
	if len(s.Mean) == 1 {
		return newRoot(s.Stats), ""
	}
	if p := picked(n, s); p != nil {
		return p, ""
	}
	if in, out := n.In[0].Type, n.Out[0].Type; in.Ranked && out.Ranked && len(in.Shape) == len(out.Shape) && sameShapeAt(in, out, s.Axis) {
		return newRoot(s.Stats), ""
	}
	return collapse(s), ""
}

// picked are the channels that a Gather by constant indices selects, nil for
// any other selection.
func picked(n *ir.Node, s *state) *state {
	if n.Op != "Gather" || constOf(n.In[1]) == nil || constOf(n.In[1]).Rank() != 1 || n.Int("axis", 0) != s.Axis {
		return nil
	}
	out := &ir.Stats{Axis: s.Axis, Source: s.Source}
	for _, x := range tensor.Float64s(constOf(n.In[1])) {
		c := int(x)
		if c < 0 {
			c += len(s.Mean)
		}
		if c < 0 || c >= len(s.Mean) {
			return nil
		}
		out.Mean, out.Std = append(out.Mean, s.Mean[c]), append(out.Std, s.Std[c])
		out.Lo, out.Hi = append(out.Lo, s.Lo[c]), append(out.Hi, s.Hi[c])
	}
	return newRoot(out)
}
