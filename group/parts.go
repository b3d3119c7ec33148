package group

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// axisOf reads an axis attribute against the rank of v; -1 when unknown.
func axisOf(n *ir.Node, def int, v *ir.Value) int {
	axis := n.Int("axis", def)
	if rank := v.Type.Rank(); axis < 0 && rank >= 0 {
		axis += rank
	}
	return axis
}

// concat lines channels up, or joins them where values lie side by side along
// another axis.
func concat(w *walk, n *ir.Node) {
	axis, at := axisOf(n, 0, n.Out[0]), -1
	for _, v := range n.In {
		if l, ok := w.a.values[v]; ok {
			if at >= 0 && at != l.axis() || !l.plain() {
				w.stop(n, fmt.Sprintf("%v joins values with channels along different axes", n))
				return
			}
			at = l.axis()
		}
	}
	if at < 0 || axis < 0 {
		w.stop(n, fmt.Sprintf("%v joins values of unknown channels", n))
		return
	}
	out := labels{axes: []int{at}}
	for i, v := range n.In {
		part, ok := w.operand(n, i, at)
		if !ok {
			w.stop(n, fmt.Sprintf("%v joins it with %q, whose channels are not known", n, v.Name))
			return
		}
		switch {
		case at == axis:
			out = out.joined(part, i)
		case out.ids == nil:
			out = out.with(part)
		case len(out.ids) == len(part.ids):
			w.u.join(out.ids, part.ids)
		}
	}
	w.put(n.Out[0], out)
}

// operand returns the labels of an operand along an axis: new ones for a
// constant, whose elements are rows.
func (w *walk) operand(n *ir.Node, i, axis int) (labels, bool) {
	v := n.In[i]
	if v.Const != nil && axis < v.Const.Rank() {
		ids := w.u.fresh(v.Const.Shape[axis])
		w.link(n, i, axis, Row, 1, ids)
		return along(axis, ids), true
	}
	if t := v.Type; !t.Ranked || axis >= len(t.Shape) || !t.Shape[axis].IsKnown() {
		return labels{}, false
	}
	ids := w.need(n, v, axis, v.Type.Shape[axis].N)
	return w.alike(v, axis, ids), true
}

// split hands each result its part of the channels.
func split(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	axis, from := axisOf(n, 0, n.In[0]), 0
	for i, v := range n.Out {
		switch {
		case !ok:
			w.pass(n, n.In[0])
			return
		case v == nil:
			w.stop(n, fmt.Sprintf("%v leaves out a part", n))
			return
		case len(l.axes) > 1 && slices.Index(l.axes, axis) >= 0 && l.sizes[slices.Index(l.axes, axis)] == len(n.Out):
			w.layer(n, i, l, slices.Index(l.axes, axis))
		case !l.plain() || axis < 0 || !v.Type.Ranked || !v.Type.Shape[l.axis()].IsKnown():
			w.stop(n, fmt.Sprintf("%v splits channels where they cannot be followed", n))
			return
		case axis != l.axis():
			w.put(v, l)
		default:
			to := from + v.Type.Shape[axis].N
			if to > len(l.ids) {
				w.stop(n, fmt.Sprintf("%v splits channels where they cannot be followed", n))
				return
			}
			w.put(v, l.pick(axis, count(to)[from:]))
			from = to
		}
	}
}

// gather selects channels by constant indices. Rows of a constant table, an
// embedding, are rows of what is read from it.
func gather(w *walk, n *ir.Node) {
	if c := n.In[0].Const; c != nil {
		if axis, rank := n.Int("axis", 0), n.Out[0].Type.Rank(); c.Rank() == 2 && axis == 0 && rank > 0 {
			ids := w.u.fresh(c.Shape[1])
			w.link(n, 0, 1, Row, 1, ids)
			w.set(n.Out[0], rank-1, ids)
		}
		return
	}
	l, ok := w.a.values[n.In[0]]
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	axis, rank := axisOf(n, 0, n.In[0]), n.In[1].Type.Rank()
	if at := slices.Index(l.axes, axis); !l.plain() && at >= 0 && rank == 0 && (at > 0 || !l.tiled) {
		w.slab(n, l, at)
		return
	}
	if !l.plain() || axis < 0 || rank < 0 {
		w.stop(n, fmt.Sprintf("%v selects channels where they cannot be followed", n))
		return
	}
	switch {
	case axis > l.axis():
		w.put(n.Out[0], l)
	case axis < l.axis():
		w.put(n.Out[0], l.on(l.axis()+rank-1))
	default:
		w.selected(n, l, rank)
	}
}

func (w *walk) selected(n *ir.Node, l labels, rank int) {
	list, ok := ints(n, 1, "")
	if !ok || rank != 1 {
		w.stop(n, fmt.Sprintf("%v selects channels by computed numbers", n))
		return
	}
	out := make([]int, len(list))
	for i, k := range list {
		if k < 0 {
			k += len(l.ids)
		}
		if k < 0 || k >= len(l.ids) {
			w.stop(n, fmt.Sprintf("%v selects channels that do not exist", n))
			return
		}
		out[i] = k
	}
	w.put(n.Out[0], l.pick(l.axis(), out))
}

// layer is part i of an axis, one of several with channels, of which every part
// gets one index.
func (w *walk) layer(n *ir.Node, i int, l labels, at int) {
	if l.tiled && at == 0 {
		w.stop(n, fmt.Sprintf("%v splits channels where they cannot be followed", n))
		return
	}
	inner := tensor.Len(l.sizes[at+1:])
	var chosen []int
	for k := range l.ids {
		if k/inner%l.sizes[at] == i {
			chosen = append(chosen, k)
		}
	}
	axes := slices.Delete(slices.Clone(l.axes), at, at+1)
	sizes := slices.Delete(slices.Clone(l.sizes), at, at+1)
	w.move(n, n.Out[i], l.grid(axes, sizes, chosen).trimmed())
}

// slab takes one index of one of the axes that channels are spread over, as
// shuffles do.
func (w *walk) slab(n *ir.Node, l labels, at int) {
	list, ok := ints(n, 1, "")
	size := l.sizes[at]
	if ok && list[0] < 0 {
		list[0] += size
	}
	if !ok || list[0] < 0 || list[0] >= size {
		w.stop(n, fmt.Sprintf("%v selects channels by computed numbers", n))
		return
	}
	inner := tensor.Len(l.sizes[at+1:])
	var chosen []int
	for i := range l.ids {
		if i/inner%size == list[0] {
			chosen = append(chosen, i)
		}
	}
	var axes []int
	for i, axis := range l.axes {
		switch {
		case i < at:
			axes = append(axes, axis)
		case i > at:
			axes = append(axes, axis-1)
		}
	}
	w.move(n, n.Out[0], l.grid(axes, slices.Delete(slices.Clone(l.sizes), at, at+1), chosen).trimmed())
}
