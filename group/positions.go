package group

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// pool is the rule of operators along the positions behind the channels.
func pool(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if ok && (!l.plain() || l.axis() != 1) {
		w.stop(n, fmt.Sprintf("the channels of %q are not where %v expects them", n.In[0].Name, n))
		return
	}
	if ok {
		w.put(n.Out[0], l)
		return
	}
	w.pass(n, n.In[0])
}

// resize keeps channels where it does not stretch their axis.
func resize(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if out := n.Out[0].Type; ok && (!l.plain() || !out.Ranked || out.Shape[l.axis()].N != len(l.ids)) {
		w.stop(n, fmt.Sprintf("%v may change the number of channels", n))
		return
	}
	w.pass(n, n.In[0])
}

// reduce keeps channels where it does not add them up.
func reduce(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	axes, known := ints(n, 1, "axes")
	rank, before := n.In[0].Type.Rank(), 0
	if !known || len(axes) == 0 || rank < 0 || !l.plain() {
		w.stop(n, fmt.Sprintf("%v reduces channels", n))
		return
	}
	for _, a := range axes {
		if a < 0 {
			a += rank
		}
		if a == l.axis() {
			w.stop(n, fmt.Sprintf("%v reduces channels", n))
			return
		}
		if a < l.axis() {
			before++
		}
	}
	if n.Int("keepdims", 1) != 0 {
		before = 0
	}
	w.put(n.Out[0], l.on(l.axis()-before))
}

// pad adds new channels of zeros, or positions. Other numbers than zero do not
// scale.
func pad(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	pads, known := ints(n, 1, "pads")
	rank := n.In[0].Type.Rank()
	if !known || !l.plain() || len(n.In) > 3 && n.In[3] != nil || len(pads) != 2*rank {
		w.stop(n, fmt.Sprintf("the padding of %v is computed", n))
		return
	}
	if w.rescaling() && !zeroPad(n) {
		w.u.pin(l.ids, fmt.Sprintf("%v pads with a number other than 0", n))
	}
	lo, hi := pads[l.axis()], pads[rank+l.axis()]
	if (lo != 0 || hi != 0) && (!zeroPad(n) || n.Str("mode", "constant") != "constant") || lo < 0 || hi < 0 {
		w.stop(n, fmt.Sprintf("%v adds channels that are not 0", n))
		return
	}
	out := along(l.axis(), slices.Concat(w.u.fresh(lo), l.ids, w.u.fresh(hi)))
	if l.copies != nil {
		out.copies = slices.Concat(make([]uint64, lo), l.copies, make([]uint64, hi))
	}
	w.put(n.Out[0], out)
}

func zeroPad(n *ir.Node) bool {
	if n.Str("mode", "constant") != "constant" {
		return true
	}
	if len(n.In) < 3 || n.In[2] == nil {
		return n.Float("value", 0) == 0
	}
	c := constOf(n.In[2])
	return c != nil && c.Len() == 1 && tensor.Float64s(c)[0] == 0
}

// slice takes a part of the channels, or of the positions.
func slice(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	starts, a := ints(n, 1, "starts")
	ends, b := ints(n, 2, "ends")
	axes, c := ints(n, 3, "axes")
	steps, d := ints(n, 4, "steps")
	rank := n.In[0].Type.Rank()
	if !(a && b && c && d) || !l.plain() || rank < 0 {
		w.stop(n, fmt.Sprintf("the bounds of %v are computed", n))
		return
	}
	at := count(len(l.ids))
	for i := range starts {
		axis, step := i, 1
		if i < len(axes) {
			axis = axes[i]
		}
		if axis < 0 {
			axis += rank
		}
		if i < len(steps) {
			step = steps[i]
		}
		if axis == l.axis() {
			at = sliced(at, starts[i], ends[i], step)
		}
	}
	if len(at) == 0 {
		w.stop(n, fmt.Sprintf("%v takes channels in reverse or none", n))
		return
	}
	w.put(n.Out[0], l.pick(l.axis(), at))
}

// sliced follows ONNX: negative bounds count from the end, all are clamped. A
// negative step gives nil.
func sliced(ids []int, start, end, step int) []int {
	size := len(ids)
	clamp := func(x int) int {
		if x < 0 {
			x += size
		}
		return min(max(x, 0), size)
	}
	var out []int
	for i := clamp(start); step > 0 && i < clamp(end); i += step {
		out = append(out, ids[i])
	}
	return out
}
