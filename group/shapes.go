package group

import (
	"fmt"
	"slices"
	"strings"

	"pare/ir"
	"pare/tensor"
)

// reshape follows channels by the shapes before and behind: elements keep their
// order, so channels are found again behind as many elements as before. An axis
// of channels may be split in several and merged again, as shuffles do, or
// merged with positions, as before a dense layer.
func reshape(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	in, out := n.In[0].Type, n.Out[0].Type
	if in.Ranked && out.Ranked && l.axis+l.span <= len(in.Shape) {
		before := extent(in.Shape[:l.axis])
		for i := len(out.Shape); i >= 0; i-- { // the last, so that axes of size 1 stay out
			if extent(out.Shape[:i]) != before {
				continue
			}
			if found, ok := l.within(in.Shape[l.axis+l.span:], out.Shape, i); ok {
				w.move(n, found)
				return
			}
		}
	}
	w.stop(n, fmt.Sprintf("%v moves its channels where they cannot be followed", n))
}

// within finds the channels of l, which had the axes behind after them, from
// axis i of a new shape on.
func (l labels) within(behind, shape []ir.Dim, i int) (labels, bool) {
	n := 1
	for j := i; j < len(shape) && shape[j].IsKnown(); j++ {
		n *= shape[j].N
		if n == len(l.ids) {
			l.axis, l.span = i, j+1-i
			return l.trimmed(shape), true
		}
		if n > len(l.ids) && n%len(l.ids) == 0 && j == i && l.span == 1 && merged(behind, n/len(l.ids)) {
			return l.repeated(i, n/len(l.ids)), true
		}
	}
	return l, false
}

// merged reports whether the first axes of a shape hold exactly n elements.
func merged(shape []ir.Dim, n int) bool {
	k := 1
	for _, d := range shape {
		if !d.IsKnown() {
			return false
		}
		if k *= d.N; k == n {
			return true
		}
	}
	return false
}

// extent describes the number of elements of a shape, equal for equal numbers.
// A size of which nothing is known equals itself in the first place only.
func extent(shape []ir.Dim) string {
	n, syms := 1, []string{}
	for i, d := range shape {
		switch {
		case d.IsKnown():
			n *= d.N
		case d.Sym != "":
			syms = append(syms, d.Sym)
		case i == 0:
			syms = append(syms, "the first")
		default:
			return fmt.Sprintf("unknown %d of %d", i, len(shape))
		}
	}
	slices.Sort(syms)
	return fmt.Sprint(n, strings.Join(syms, "*"))
}

// transpose follows the axes of channels as long as they stay together.
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
	first := slices.IndexFunc(perm, func(p int) bool { return p >= l.axis && p < l.axis+l.span })
	if first < 0 || first+l.span > len(perm) {
		w.stop(n, fmt.Sprintf("%v tears its channels apart", n))
		return
	}
	moved := slices.Clone(perm[first : first+l.span])
	for i, p := range moved {
		if moved[i] = p - l.axis; moved[i] < 0 || moved[i] >= l.span {
			w.stop(n, fmt.Sprintf("%v tears its channels apart", n))
			return
		}
	}
	sizes := make([]int, l.span)
	for i := range sizes {
		sizes[i] = n.In[0].Type.Shape[l.axis+i].N
	}
	if l.span == 1 {
		sizes[0] = len(l.ids)
	}
	w.move(n, l.pick(first, l.span, permuted(sizes, moved)))
}

// permuted says where the elements of a transposed row-major list of the given
// sizes come from.
func permuted(sizes, perm []int) []int {
	out := make([]int, tensor.Len(sizes))
	for k := range out {
		from, rest := make([]int, len(perm)), k
		for i, p := range slices.Backward(perm) {
			from[p] = rest % sizes[perm[i]]
			rest /= sizes[perm[i]]
		}
		at := 0
		for i, x := range from {
			at = at*sizes[i] + x
		}
		out[k] = at
	}
	return out
}

// shape: sizes do not depend on scales, but on the number of channels.
func shape(w *walk, n *ir.Node) {
	if !w.rescaling() {
		w.pinValue(n.In[0], fmt.Sprintf("%v reads its shape", n))
	}
}
