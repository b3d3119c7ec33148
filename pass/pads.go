package pass

import (
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// mergePads removes padding that the next node cuts off again, and adds up
// padding with the same value that follows itself.
func mergePads(w *work) (int, error) {
	count := 0
	for _, n := range slices.Clone(w.g.Nodes) {
		var done bool
		var err error
		switch {
		case len(n.In) == 0 || n.In[0] == nil || !w.standard(n.In[0].Producer(), "Pad"):
		case w.standard(n, "Slice"):
			done, err = w.cutPad(n.In[0].Producer(), n)
		case w.standard(n, "Pad"):
			done, err = w.addPads(n.In[0].Producer(), n)
		}
		if err != nil {
			return count, err
		}
		if done {
			count++
		}
	}
	return count, nil
}

// padsOf is the padding of every axis of a Pad, beginnings first, where it is
// known; axes that it leaves out have none.
func (w *work) padsOf(n *ir.Node) ([]int, bool) {
	name := "pads"
	if n.Has("paddings") {
		name = "paddings"
	}
	pads, ok := w.listed(n, name, 1)
	axes, given := w.ints(n, 3)
	rank := w.types[n.In[0]].Rank()
	if !ok || pads == nil || rank < 0 || len(n.In) > 3 && n.In[3] != nil && !given {
		return nil, false
	}
	if !given {
		return pads, len(pads) == 2*rank
	}
	out := make([]int, 2*rank)
	for i, a := range axes {
		a, ok := axisOf(a, rank)
		if !ok || len(pads) != 2*len(axes) {
			return nil, false
		}
		out[a], out[rank+a] = pads[i], pads[len(axes)+i]
	}
	return out, true
}

// cutPad makes the readers of cut, which removes exactly what pad added, read
// the operand of pad.
func (w *work) cutPad(pad, slice *ir.Node) (bool, error) {
	pads, ok1 := w.padsOf(pad)
	cuts, ok2 := w.sliceOf(slice)
	x := pad.In[0]
	if !ok1 || !ok2 || !w.replaceable(slice.Out[0], x) || slices.ContainsFunc(pads, func(n int) bool { return n < 0 }) {
		return false, nil
	}
	rank := len(pads) / 2
	left := slices.Clone(pads)
	for _, c := range cuts {
		d := w.types[x].Shape[c.axis]
		lo, hi := pads[c.axis], pads[rank+c.axis]
		atEnd := c.end == -hi && hi > 0 || hi == 0 && c.end >= math.MaxInt32 || d.IsKnown() && c.end == lo+d.N
		if c.step != 1 || c.start != lo || !atEnd {
			return false, nil
		}
		left[c.axis], left[rank+c.axis] = 0, 0
	}
	if slices.ContainsFunc(left, func(n int) bool { return n != 0 }) {
		return false, nil
	}
	p := ir.NewPatch(w.g, "cancel "+pad.String()+" and "+slice.String())
	p.Replace(slice.Out[0], x)
	p.RemoveNode(slice)
	return true, w.apply(p)
}

// addPads makes pad do what inner does, too.
func (w *work) addPads(inner, pad *ir.Node) (bool, error) {
	a, ok1 := w.padsOf(inner)
	b, ok2 := w.padsOf(pad)
	if !ok1 || !ok2 || len(a) != len(b) || !w.samePadding(inner, pad) || !w.onlyUse(inner.Out[0], pad) {
		return false, nil
	}
	sum := make([]int64, len(a))
	for i := range a {
		if a[i] < 0 || b[i] < 0 {
			return false, nil
		}
		sum[i] = int64(a[i] + b[i])
	}
	p := ir.NewPatch(w.g, "merge "+inner.String()+" and "+pad.String())
	p.SetInput(pad, 0, inner.In[0])
	if pad.Has("pads") {
		p.SetAttrs(pad, ir.WithAttr(pad.Attrs, "pads", sum))
	} else {
		p.SetInput(pad, 1, p.Const(pad.Out[0].Name+"_pads", tensor.Of([]int{len(sum)}, sum)))
		p.SetInput(pad, 3, nil)
	}
	return true, w.apply(p)
}

// samePadding reports whether two nodes of one form pad with the same constant.
func (w *work) samePadding(a, b *ir.Node) bool {
	if a.Has("pads") != b.Has("pads") || a.Has("paddings") || b.Has("paddings") ||
		a.Str("mode", "constant") != "constant" || b.Str("mode", "constant") != "constant" {
		return false
	}
	x, ok1 := w.padValue(a)
	y, ok2 := w.padValue(b)
	return ok1 && ok2 && x == y
}

// padValue is what a Pad in constant mode pads with.
func (w *work) padValue(n *ir.Node) (float64, bool) {
	if len(n.In) < 3 || n.In[2] == nil {
		return float64(n.Float("value", 0)), true
	}
	v := n.In[2]
	if !w.constant(v) || v.Const.Len() != 1 || v.Const.Type == tensor.String {
		return 0, false
	}
	return tensor.Float64s(v.Const)[0], true
}
