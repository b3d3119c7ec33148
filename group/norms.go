package group

import (
	"fmt"
	"slices"

	"pare/ir"
)

// batchNorm: its parameters go with channels; when they are rescaled it takes up
// the scale of its operand and gives its result another.
func batchNorm(w *walk, n *ir.Node) {
	size := 0
	if len(n.In) > 1 && n.In[1] != nil && n.In[1].Const != nil {
		size = n.In[1].Const.Len()
	}
	if size == 0 || len(n.In) < 5 {
		w.stop(n, fmt.Sprintf("the parameters of %v are computed", n))
		return
	}
	in := w.need(n, n.In[0], 1, size)
	if !w.rescaling() {
		for i := 1; i < 5; i++ {
			w.link(n, i, 0, Parameter, 0, in)
		}
		w.put(n.Out[0], w.alike(n.In[0], 1, in))
		return
	}
	out := w.u.fresh(size)
	w.link(n, 1, 0, Row, 1, out)
	w.link(n, 2, 0, Row, 1, out)
	w.link(n, 1, 0, Column, -1, in)
	w.link(n, 3, 0, Parameter, 1, in)
	w.set(n.Out[0], 1, out)
}

// layerNorm normalises over all channels of a position: they stay. Its scale and
// shift are rows of what it computes.
func layerNorm(w *walk, n *ir.Node) {
	rank := n.In[0].Type.Rank()
	if rank < 1 || axisOf(n, -1, n.In[0]) != rank-1 || len(n.In) < 2 || n.In[1] == nil || n.In[1].Const == nil {
		w.stop(n, fmt.Sprintf("%v normalises over several axes or by computed numbers", n))
		return
	}
	in := w.need(n, n.In[0], rank-1, n.In[1].Const.Len())
	w.u.pin(in, fmt.Sprintf("%v normalises over its channels", n))
	w.scaled(n, rank-1, in)
}

// instanceNorm normalises each channel by itself.
func instanceNorm(w *walk, n *ir.Node) {
	if len(n.In) < 3 || n.In[1] == nil || n.In[1].Const == nil {
		w.stop(n, fmt.Sprintf("the parameters of %v are computed", n))
		return
	}
	in := w.need(n, n.In[0], 1, n.In[1].Const.Len())
	if w.rescaling() {
		w.u.pin(in, fmt.Sprintf("%v normalises it", n))
	}
	w.scaled(n, 1, in)
}

// scaled links scale and shift, the second and third operand.
func (w *walk) scaled(n *ir.Node, axis int, in []int) {
	out, role := in, Parameter
	if w.rescaling() {
		out, role = w.u.fresh(len(in)), Row
	}
	w.link(n, 1, 0, role, 1, out)
	w.link(n, 2, 0, role, 1, out)
	w.put(n.Out[0], w.alike(n.In[0], axis, out))
}

// softmax ties the elements along its axis to each other and is not homogeneous
// along any.
func softmax(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if ok && (w.rescaling() || w.overAxes(n, l.axes)) {
		w.u.pin(l.ids, fmt.Sprintf("%v normalises it", n))
	}
	w.pass(n, n.In[0])
}

// overAxes reports whether n normalises over one of some axes: over its axis and,
// before operator set 13, all behind.
func (w *walk) overAxes(n *ir.Node, axes []int) bool {
	def := -1
	if w.a.opset < 13 {
		def = 1
	}
	axis := axisOf(n, def, n.In[0])
	return axis < 0 || slices.ContainsFunc(axes, func(x int) bool { return x == axis || w.a.opset < 13 && x > axis })
}
