package group

import (
	"fmt"

	"pare/ir"
)

// attention is the rule of products of two computed values: the heads of both lie
// along an axis of the batch and are one. Where only one has channels, the second
// along its last axis, as values without heads do, or the first as rows, they pass.
func attention(w *walk, n *ir.Node) {
	rank := n.Out[0].Type.Rank()
	a, okA := w.heads(n, 0, rank)
	b, okB := w.heads(n, 1, rank)
	l, ok := w.a.values[n.In[1]]
	switch {
	case okA && okB && a.axis() == b.axis() && len(a.ids) == len(b.ids) && a.tiled == b.tiled:
		w.u.join(a.ids, b.ids)
		w.put(n.Out[0], a)
	case okA && !w.labelled(n.In[1]) && w.spreads(n.In[1], a.axis(), rank):
		w.put(n.Out[0], a)
	case okB && !w.labelled(n.In[0]) && w.spreads(n.In[0], b.axis(), rank):
		w.put(n.Out[0], b)
	case ok && l.plain() && !w.labelled(n.In[0]) && l.axis() == n.In[1].Type.Rank()-1 && rank > 0:
		w.put(n.Out[0], l.on(rank-1))
	case w.labelled(n.In[0]) && !ok && w.rowsOnly(n, rank):
		w.put(n.Out[0], w.a.values[n.In[0]].on(rank-2))
	default:
		w.stop(n, fmt.Sprintf("%v multiplies two computed values", n))
	}
}

// rowsOnly reports whether the channels of the first operand are the rows of its
// matrices.
func (w *walk) rowsOnly(n *ir.Node, rank int) bool {
	l := w.a.values[n.In[0]]
	return l.plain() && rank > 1 && n.In[1].Type.Rank() > 1 && l.axis() == n.In[0].Type.Rank()-2
}

func (w *walk) labelled(v *ir.Value) bool {
	_, ok := w.a.values[v]
	return ok
}

// spreads reports whether v has size 1 along an axis of a result of the given
// rank.
func (w *walk) spreads(v *ir.Value, axis, rank int) bool {
	at := axis - (rank - v.Type.Rank())
	return v.Type.Ranked && (at < 0 || v.Type.Shape[at].N == 1)
}

// heads narrows the channels of operand i to their axis among those of the batch,
// in the result; ok is false where there is not exactly one.
func (w *walk) heads(n *ir.Node, i, rank int) (l labels, ok bool) {
	v := n.In[i]
	l, ok = w.a.values[v]
	own := v.Type.Rank()
	if !ok || rank < 3 || own < 3 {
		return l, false
	}
	found := -1
	for k, axis := range l.axes {
		switch {
		case axis < own-2 && found >= 0:
			return l, false
		case axis < own-2:
			found = k
		}
	}
	if found < 0 {
		return l, false
	}
	l = w.narrowed(l, found)
	w.a.values[v] = l
	return l.on(l.axis() + rank - own), true
}

// narrowed makes one class of all channels with the same index along the k-th axis
// of l.
func (w *walk) narrowed(l labels, k int) labels {
	if len(l.axes) == 1 {
		return l
	}
	inner, size := 1, l.sizes[k]
	for _, s := range l.sizes[k+1:] {
		inner *= s
	}
	first := make([]int, size)
	for j := range first {
		first[j] = -1
	}
	for i := range l.ids {
		j := i / inner % size
		if first[j] < 0 {
			first[j] = i
		}
		w.u.join(l.ids[first[j]:first[j]+1], l.ids[i:i+1])
	}
	tiled := l.tiled && k == 0
	l = l.pick(l.axes[k], first)
	l.tiled, l.src, l.from = tiled, nil, nil
	return l
}
