package group

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// curved is the rule of functions of single elements that are not positively
// homogeneous: they keep channels apart, but not scales.
func curved(w *walk, n *ir.Node) {
	if w.rescaling() {
		w.pinValue(n.In[0], fmt.Sprintf("%v is not positively homogeneous", n))
	}
	w.pass(n, n.In[0])
}

// cast: rounding to integers is not homogeneous.
func cast(w *walk, n *ir.Node) {
	if t := tensor.DType(n.Int("to", 1)); t.IsFloat() {
		each(w, n)
	} else {
		curved(w, n)
	}
}

// quantised: a grid fits the scales that it was made for.
func quantised(w *walk, n *ir.Node) {
	if w.rescaling() {
		w.pinValue(n.In[0], fmt.Sprintf("it is quantised by %v", n))
	}
	if n.In[0].Const != nil {
		return // weights; see decoders
	}
	c := constOf(n.In[1])
	l, ok := w.a.values[n.In[0]]
	switch {
	case c != nil && c.Len() == 1:
	case c == nil || !ok || !l.plain() || c.Rank() != 1 || axisOf(n, 1, n.In[0]) != l.axis() || w.rescaling():
		w.stop(n, fmt.Sprintf("%v has scales along another axis than that of channels", n))
		return
	default:
		w.link(n, 1, 0, Parameter, 0, l.ids)
		w.codes(n, l.ids)
	}
	w.pass(n, n.In[0])
}

// codes links zero points, which are integers.
func (w *walk) codes(n *ir.Node, ids []int) {
	if len(n.In) > 2 && n.In[2] != nil && n.In[2].Const != nil && n.In[2].Const.Len() == len(ids) {
		w.a.Links = append(w.a.Links, &Link{Node: n, Operand: 2, Role: Parameter, Groups: 1, Units: ids})
	}
}

// clip keeps channels; when they are rescaled its bounds go with them.
func clip(w *walk, n *ir.Node) {
	if !w.rescaling() {
		w.pass(n, n.In[0])
		return
	}
	lo, hi, ok := Limits(n)
	l, known := w.a.values[n.In[0]]
	switch {
	case !ok || known && !l.plain():
		w.pinValue(n.In[0], fmt.Sprintf("the bounds of %v are computed", n))
	case known && n.In[0].Type.DType != tensor.Float32:
		w.pinValue(n.In[0], fmt.Sprintf("%v holds %v", n, n.In[0].Type.DType))
	case known:
		w.a.Bounds = append(w.a.Bounds, &Bound{Node: n, Lo: lo, Hi: hi, Axis: l.axis(), Units: l.ids})
	}
	w.pass(n, n.In[0])
}

// Limits reads the bounds of a Clip, from constant operands or, up to opset 10,
// from attributes; infinite where there is none. ok is false when they are
// computed or out of order.
func Limits(n *ir.Node) (lo, hi float64, ok bool) {
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

// power raises to a number, the same for all channels.
func power(w *walk, n *ir.Node) {
	if c := constOf(n.In[1]); c == nil || c.Len() != 1 {
		w.stop(n, fmt.Sprintf("%v raises to numbers of their own", n))
		return
	}
	curved(w, n)
}

// where chooses between values element by element; that is no matter for scales
// where all are rescaled alike, which is not looked into.
func where(w *walk, n *ir.Node) {
	if w.rescaling() {
		for _, v := range n.In {
			w.pinValue(v, fmt.Sprintf("%v chooses between it and others", n))
		}
	}
	joint(additive)(w, n)
}

func prelu(w *walk, n *ir.Node) {
	if l, ok := w.a.values[n.In[0]]; ok && len(n.In) > 1 && l.plain() {
		w.param(n, 1, n.In[0].Type.Rank(), l.axis(), 0, l.ids)
	}
	w.pass(n, n.In[0])
}

// kind is how an operator combines its operands.
type kind uint8

const (
	additive       kind = iota // every operand carries the scale
	multiplicative             // one does
)

// joint is the rule of operators that combine operands element by element, with
// broadcasting: channels that meet are one.
func joint(k kind) rule {
	return func(w *walk, n *ir.Node) {
		rank := n.Out[0].Type.Rank()
		if !w.rescaling() && w.withNumber(n) {
			return
		}
		if rank > 0 {
			w.fill(n, rank)
		}
		first, axis := w.leader(n, rank)
		if first < 0 {
			return
		}
		if n.Has("axis") {
			w.stop(n, fmt.Sprintf("%v aligns its operands by an attribute, as before operator set 7", n))
			return
		}
		if rank < 0 {
			w.stop(n, fmt.Sprintf("the shape of what %v computes is not known", n))
			return
		}
		ids := w.a.values[n.In[first]].ids
		for i, v := range n.In {
			if i != first && v != nil {
				w.meet(n, k, i, rank, axis, ids)
			}
		}
		if n.Op == "Div" && first != 0 && w.rescaling() {
			w.u.pin(ids, fmt.Sprintf("%v divides by it", n))
		}
		w.put(n.Out[0], w.alike(n.In[first], axis, ids))
	}
}

// withNumber passes on channels that lie along several axes where n combines
// them with a single number.
func (w *walk) withNumber(n *ir.Node) bool {
	if len(n.In) != 2 || n.In[0] == nil || n.In[1] == nil {
		return false
	}
	for i, v := range n.In {
		l, ok := w.a.values[v]
		c := constOf(n.In[1-i])
		if ok && !l.plain() && c != nil && c.Len() == 1 && c.Rank() <= v.Type.Rank() {
			w.pass(n, v)
			return true
		}
	}
	return false
}

// leader finds the computed operand whose channels the result has, and their
// axis in the result: the one with most, and of those the freest.
func (w *walk) leader(n *ir.Node, rank int) (first, axis int) {
	first = -1
	for i, v := range n.In {
		if v == nil {
			continue
		}
		l, ok := w.a.values[v]
		if !ok {
			continue
		}
		if !l.plain() || v.Type.Rank() < 0 {
			w.stop(n, fmt.Sprintf("the channels of %q lie along several axes where %v combines it", v.Name, n))
			return -1, 0
		}
		old := 0
		if first >= 0 {
			old = len(w.a.values[n.In[first]].ids)
		}
		if first < 0 || len(l.ids) > old || len(l.ids) == old && w.u.fixed(w.a.values[n.In[first]].ids) && !w.u.fixed(l.ids) {
			first, axis = i, l.axis()+rank-v.Type.Rank()
		}
	}
	return first, axis
}

// meet joins operand i of n with the channels ids of the result.
func (w *walk) meet(n *ir.Node, k kind, i, rank, axis int, ids []int) {
	v := n.In[i]
	if stored(v) != nil {
		power := 0
		if k == additive {
			power = 1
		}
		w.param(n, i, rank, axis, power, ids)
		return
	}
	at := axis - (rank - v.Type.Rank())
	if v.Type.Rank() < 0 || at >= 0 && !v.Type.Shape[at].IsKnown() {
		w.u.pin(ids, fmt.Sprintf("%v combines it with a value of unknown shape", n))
		w.pinValue(v, fmt.Sprintf("%v combines it with another value", n))
		return
	}
	if at < 0 || v.Type.Shape[at].N != len(ids) { // broadcast along the channels
		if w.rescaling() {
			w.pinValue(v, fmt.Sprintf("%v spreads it over channels", n))
			if k == additive {
				w.u.pin(ids, fmt.Sprintf("%v combines all channels with the same number", n))
			}
		}
		return
	}
	other := w.need(n, v, at, len(ids))
	switch {
	case k == additive || !w.rescaling():
		w.u.join(ids, other)
	case !w.u.fixed(other): // of two factors one carries the scale
		w.u.pin(other, fmt.Sprintf("%v multiplies by it", n))
	}
}
