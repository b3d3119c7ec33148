package group

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// filled is the rule of tensors with the same number everywhere, such as those that
// spread a token over a batch: they have as many channels as whoever combines them
// with others needs, provided that their number can be changed.
func filled(w *walk, n *ir.Node) {
	w.origin[n.Out[0]] = fmt.Sprintf("the shape of what %v makes is computed", n)
	if !w.rescaling() && (n.Op != "Expand" || tensorLen(n.In[0]) == 1) {
		w.filled[n.Out[0]] = true
	}
}

func tensorLen(v *ir.Value) int {
	sizes, ok := v.Type.Sizes()
	if !ok {
		return -1
	}
	return tensor.Len(sizes)
}

// fits reports whether v is filled and the number of its channels, size along axis,
// can be changed.
func (w *walk) fits(v *ir.Value, axis, size int) bool {
	if !w.filled[v] {
		return false
	}
	p := v.Producer()
	x, ok := entry(p, len(p.In)-1, axis)
	return ok && x == size
}

// fill gives a filled operand that n combines with a constant the channels of the
// constant.
func (w *walk) fill(n *ir.Node, rank int) {
	for i, v := range n.In {
		if v == nil || !w.filled[v] || w.labelled(v) {
			continue
		}
		for k, c := range n.In {
			if t := constOf(c); k != i && t != nil {
				w.fillFrom(n, v, t, rank)
			}
		}
	}
}

func (w *walk) fillFrom(n *ir.Node, v *ir.Value, t *tensor.Tensor, rank int) {
	axis := -1
	for k, size := range t.Shape {
		if size > 1 && axis >= 0 {
			return
		}
		if size > 1 {
			axis = k + rank - t.Rank()
		}
	}
	if at := axis - (rank - v.Type.Rank()); axis >= 0 && at >= 0 {
		w.need(n, v, at, t.Len())
	}
}
