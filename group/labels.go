package group

import (
	"fmt"

	"pare/ir"
)

// labels are the classes or units of the channels of a value: row by row over
// span axes from axis on.
type labels struct {
	axis, span int
	ids        []int
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

// pick is the labels of the positions at of l.
func (l labels) pick(axis, span int, at []int) labels {
	return labels{axis, span, picked(l.ids, at), picked(l.copies, at), l.src, picked(l.from, at)}
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
	l.axis = axis
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
	out := labels{axis: axis, span: 1}
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
	return l
}

// trimmed leaves axes of size 1 at either end out of the span.
func (l labels) trimmed(shape []ir.Dim) labels {
	for l.span > 1 && shape[l.axis].N == 1 {
		l.axis, l.span = l.axis+1, l.span-1
	}
	for l.span > 1 && shape[l.axis+l.span-1].N == 1 {
		l.span--
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

// move gives the first result of n, which holds elements of its operand in
// another shape or order, its labels.
func (w *walk) move(n *ir.Node, l labels) {
	old := w.a.values[n.In[0]]
	switch {
	case w.rescaling():
	case old.span == 1 && l.span > 1:
		l.src, l.from = n.In[0], count(len(l.ids))
	case old.span > 1 && l.span == 1:
		w.gathered(n, l)
		l.src, l.from = nil, nil
	}
	w.a.values[n.Out[0]] = l
}

// gathered notes that the channels of the result of n are a selection of those
// of a value of otherwise equal shape, which can stand in for the chain of nodes
// between should removals leave no full grid. Without one they are pinned.
func (w *walk) gathered(n *ir.Node, l labels) {
	if l.src == nil {
		w.u.pin(l.ids, fmt.Sprintf("it is changed while its channels lie along the axes that %v joins", n))
		return
	}
	a, b, src := l.src.Type, n.Out[0].Type, w.a.values[l.src]
	same := a.Ranked && b.Ranked && len(a.Shape) == len(b.Shape) && src.axis == l.axis
	for i := 0; same && i < len(a.Shape); i++ {
		same = i == l.axis || a.Shape[i].Same(b.Shape[i])
	}
	if !same {
		w.u.pin(l.ids, fmt.Sprintf("%v leaves its channels in another shape than that before they were spread over several axes", n))
		return
	}
	w.a.selections[n.Out[0]] = selection{l.src, l.from}
}

// count is 0, 1, ..., n-1.
func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
