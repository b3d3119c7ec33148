package group

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// transpose takes the axes of channels along.
func transpose(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	perm := n.Ints("perm")
	if perm == nil {
		for i := n.In[0].Type.Rank() - 1; i >= 0; i-- {
			perm = append(perm, i)
		}
	}
	var axes, sizes, moved []int
	for to, from := range perm {
		if i := slices.Index(l.axes, from); i >= 0 {
			axes, sizes, moved = append(axes, to), append(sizes, l.sizes[i]), append(moved, i)
		}
	}
	if len(axes) != len(l.axes) || l.tiled && moved[0] != 0 {
		w.stop(n, fmt.Sprintf("%v moves its channels where they cannot be followed", n))
		return
	}
	w.move(n, n.Out[0], l.grid(axes, sizes, permuted(l.sizes, moved)))
}

// permuted says where the elements of a transposed row-major list of the given
// sizes come from.
func permuted(sizes, perm []int) []int {
	out := make([]int, tensor.Len(sizes))
	for k := range out {
		from, rest := make([]int, len(perm)), k
		for _, p := range slices.Backward(perm) {
			from[p] = rest % sizes[p]
			rest /= sizes[p]
		}
		at := 0
		for i, x := range from {
			at = at*sizes[i] + x
		}
		out[k] = at
	}
	return out
}

// squeeze takes away or adds axes of size 1.
func squeeze(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if !ok || l.together(n.In[0].Type.Shape) {
		reshape(w, n)
		return
	}
	axes, known := ints(n, 1, "axes")
	rank := max(n.In[0].Type.Rank(), n.Out[0].Type.Rank())
	if !known || len(axes) == 0 || !n.In[0].Type.Ranked || !n.Out[0].Type.Ranked {
		w.stop(n, fmt.Sprintf("%v moves its channels where they cannot be followed", n))
		return
	}
	w.move(n, n.Out[0], l.shifted(n.Op == "Squeeze", axes, rank).trimmed())
}

// shifted is l after axes of size 1 have gone or come; the rank is the larger.
func (l labels) shifted(gone bool, axes []int, rank int) labels {
	var kept []int // the axes of the larger shape that the smaller has
	for i := range rank {
		if !slices.Contains(axes, i) && !slices.Contains(axes, i-rank) {
			kept = append(kept, i)
		}
	}
	var at, sizes []int
	for i, axis := range l.axes {
		to := slices.Index(kept, axis)
		if !gone {
			to = kept[axis]
		}
		if to >= 0 {
			at, sizes = append(at, to), append(sizes, l.sizes[i])
		}
	}
	l.axes, l.sizes = at, sizes
	return l
}

// shape: sizes do not depend on scales, but on the number of channels, where
// somebody reads it.
func shape(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if ok && !w.rescaling() && slices.ContainsFunc(l.axes, func(axis int) bool { return readsSize(w.m.Graph, n, axis) }) {
		w.pinValue(n.In[0], fmt.Sprintf("%v reads its shape", n))
	}
}

// readsSize reports whether anybody may read the size of an axis of what n, a
// Shape, tells.
func readsSize(g *ir.Graph, n *ir.Node, axis int) bool {
	if g.IsOutput(n.Out[0]) || n.Has("start") || n.Has("end") {
		return true
	}
	for _, u := range n.Out[0].Uses() {
		list, ok := ints(u.Node, 1, "")
		if u.In != 0 || u.Node.Op != "Gather" || !ok {
			return true
		}
		rank := n.In[0].Type.Rank()
		if slices.ContainsFunc(list, func(k int) bool { return k == axis || k == axis-rank }) {
			return true
		}
	}
	return false
}
