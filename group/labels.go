package group

import (
	"fmt"

	"pare/ir"
)

// labels are the classes or units of the channels of a value: row by row over
// some axes, in ascending order.
type labels struct {
	axes, sizes []int // the product of the sizes is the number of ids
	// tiled says that the first of the axes has the channels several times over,
	// one set behind the other.
	tiled bool
	ids   []int
	// copies tell the positions of one class apart where it has several, such as
	// those of a flattened map: equal numbers are the same place of different
	// channels. nil where all are 0.
	copies []uint64
	// src is the value whose channels lay along one axis before they were spread
	// over several, and from their places in it; nil when they were not, or when
	// something else than a change of shape or order came between.
	src  *ir.Value
	from []int
}

// along is the labels of channels along one axis.
func along(axis int, ids []int) labels {
	return labels{axes: []int{axis}, sizes: []int{len(ids)}, ids: ids}
}

// plain reports whether the channels lie along one axis and nothing else does.
func (l labels) plain() bool { return len(l.axes) == 1 && !l.tiled }

// axis is the first axis.
func (l labels) axis() int { return l.axes[0] }

// pick is the labels of the positions at of l, which lie along one axis.
func (l labels) pick(axis int, at []int) labels {
	return l.grid([]int{axis}, []int{len(at)}, at)
}

// grid is the labels of the positions at of l, which lie along several axes.
func (l labels) grid(axes, sizes, at []int) labels {
	l.axes, l.sizes = axes, sizes
	l.ids, l.copies, l.from = picked(l.ids, at), picked(l.copies, at), picked(l.from, at)
	return l
}

func picked[T any](list []T, at []int) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(at))
	for i, k := range at {
		out[i] = list[k]
	}
	return out
}

// on is l with its channels along another axis.
func (l labels) on(axis int) labels {
	l.axes = []int{axis}
	return l
}

// copyOf is the number of the copy at position i.
func (l labels) copyOf(i int) uint64 {
	if l.copies == nil {
		return 0
	}
	return l.copies[i]
}

// repeated has every position k times, one after the other.
func (l labels) repeated(axis, k int) labels {
	out := labels{axes: []int{axis}, sizes: []int{len(l.ids) * k}}
	for i, id := range l.ids {
		for j := range k {
			out.ids = append(out.ids, id)
			out.copies = append(out.copies, mix(l.copyOf(i), uint64(j)))
		}
	}
	return out
}

// joined is l with the positions of m, operand i of a concatenation, behind.
func (l labels) joined(m labels, i int) labels {
	for k, id := range m.ids {
		l.ids = append(l.ids, id)
		l.copies = append(l.copies, mix(m.copyOf(k), uint64(i)))
	}
	l.sizes = []int{len(l.ids)}
	return l
}

// with is l with the classes of m.
func (l labels) with(m labels) labels {
	l.sizes, l.ids, l.copies = m.sizes, m.ids, m.copies
	return l
}

// trimmed leaves axes of size 1 at either end out.
func (l labels) trimmed() labels {
	for len(l.axes) > 1 && l.sizes[0] == 1 && !l.tiled {
		l.axes, l.sizes = l.axes[1:], l.sizes[1:]
	}
	for n := len(l.axes) - 1; n > 0 && l.sizes[n] == 1; n-- {
		l.axes, l.sizes = l.axes[:n], l.sizes[:n]
	}
	return l
}

// mix makes one number that stands for two.
func mix(a, b uint64) uint64 {
	a += b*0x9e3779b97f4a7c15 + 0x632be59bd9b4e019
	a = (a ^ a>>30) * 0xbf58476d1ce4e5b9
	a = (a ^ a>>27) * 0x94d049bb133111eb
	return a ^ a>>31
}

// selection says that the channels of a value are some of src, chosen by a chain
// of changes of shape and order over several axes.
type selection struct {
	src *ir.Value
	at  []int
}

// move gives v, a result of n that holds elements of its operand in another shape
// or order, its labels.
func (w *walk) move(n *ir.Node, v *ir.Value, l labels) {
	old := w.a.values[n.In[0]]
	switch {
	case w.rescaling():
	case old.plain() && !l.plain():
		l.src, l.from = n.In[0], count(len(l.ids))
	case len(old.axes) > 1 && l.plain():
		w.gathered(n, v, l)
		l.src, l.from = nil, nil
	}
	w.a.values[v] = l
}

// gathered notes that the channels of the result of n are a selection of those
// of a value of otherwise equal shape, which can stand in for the chain of nodes
// between should removals leave no full grid. Without one they are pinned.
func (w *walk) gathered(n *ir.Node, v *ir.Value, l labels) {
	if l.src == nil {
		w.u.pin(l.ids, fmt.Sprintf("it is changed while its channels lie along the axes that %v joins", n))
		return
	}
	a, b, src := l.src.Type, v.Type, w.a.values[l.src]
	same := a.Ranked && b.Ranked && len(a.Shape) == len(b.Shape) && src.axis() == l.axis()
	for i := 0; same && i < len(a.Shape); i++ {
		same = i == l.axis() || a.Shape[i].Same(b.Shape[i])
	}
	if !same {
		w.u.pin(l.ids, fmt.Sprintf("%v leaves its channels in another shape than that before they were spread over several axes", n))
		return
	}
	w.a.selections[v] = selection{l.src, l.from}
}

// count is 0, 1, ..., n-1.
func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// last is the last axis.
func (l labels) last() int { return l.axes[len(l.axes)-1] }
