package group

import (
	"fmt"
	"slices"
	"strings"

	"pare/ir"
	"pare/tensor"
)

// reshape follows channels by the shapes before and behind: elements keep their
// order, so channels are found again behind as many elements as before, or before
// as many. An axis of channels may be split in several and merged again, as
// shuffles do, merged with positions, as before a dense layer, or, partly, with
// what lies before, as heads are with the batch.
func reshape(w *walk, n *ir.Node) {
	l, ok := w.a.values[n.In[0]]
	if !ok {
		w.pass(n, n.In[0])
		return
	}
	in, out := n.In[0].Type, n.Out[0].Type
	if in.Ranked && out.Ranked && l.last() < len(in.Shape) && l.together(in.Shape) {
		for _, f := range []func(l labels, in, out []ir.Dim) (labels, bool){labels.behindAsMany, labels.beforeAsMany, labels.overBatch} {
			if found, ok := f(l, in.Shape, out.Shape); ok {
				w.reshaped(n, found)
				return
			}
		}
	}
	w.stop(n, fmt.Sprintf("%v moves its channels where they cannot be followed", n))
}

// reshaped gives the result of n its labels. Sizes of channels that are computed
// could not follow them.
func (w *walk) reshaped(n *ir.Node, l labels) {
	for _, axis := range l.axes {
		if _, ok := entry(n, 1, axis); n.Op == "Reshape" && !ok && !w.rescaling() {
			w.stop(n, fmt.Sprintf("the shape of %v is computed", n))
			return
		}
	}
	w.move(n, n.Out[0], l)
}

// together reports whether nothing but axes of size 1 lies between those of l.
func (l labels) together(shape []ir.Dim) bool {
	for i := l.axis(); i < l.last(); i++ {
		if !slices.Contains(l.axes, i) && shape[i].N != 1 {
			return false
		}
	}
	return true
}

// behindAsMany finds the channels behind as many elements as before.
func (l labels) behindAsMany(in, out []ir.Dim) (labels, bool) {
	if l.tiled {
		return l, false
	}
	before := extent(in[:l.axis()])
	for i := len(out); i >= 0; i-- { // the last, so that axes of size 1 stay out
		if extent(out[:i]) == before {
			if found, ok := l.within(in[l.last()+1:], out, i); ok {
				return found, true
			}
		}
	}
	return l, false
}

// beforeAsMany finds them before as many elements as before, which works where the
// sizes of the axes in front are not known.
func (l labels) beforeAsMany(in, out []ir.Dim) (labels, bool) {
	behind, ok := product(in[l.last()+1:])
	for i := len(out) - 1; ok && i >= 0; i-- {
		after, known := product(out[i+1:])
		size := out[i].N
		if !known || size < 0 || behind%after != 0 {
			break
		}
		if k := behind / after; len(l.ids)*k == size {
			if k == 1 {
				return l.spread(out, i, i), true
			}
			return l.repeated(i, k), true
		}
	}
	for j := len(out) - 1; ok && j >= 0; j-- {
		if after, known := product(out[j+1:]); !known || after > behind {
			break
		} else if after == behind {
			return l.upTo(out, j)
		}
	}
	return l, false
}

// upTo lays the channels along the axes that end with j.
func (l labels) upTo(shape []ir.Dim, j int) (labels, bool) {
	n := 1
	for i := j; i >= 0 && shape[i].IsKnown() && n < len(l.ids); i-- {
		if n *= shape[i].N; n == len(l.ids) {
			return l.spread(shape, i, j), true
		}
	}
	return l, false
}

// overBatch lays the first part of the channels, heads, along an axis that has
// them for every element of a batch, and the rest along the axes behind.
func (l labels) overBatch(in, out []ir.Dim) (labels, bool) {
	behind, ok := product(in[l.last()+1:])
	if !ok || l.tiled {
		return l, false
	}
	for i := len(out) - 2; i >= 0; i-- {
		rest, known := product(out[i+1:])
		if !known || rest%max(1, behind) != 0 || rest/max(1, behind) >= len(l.ids) || len(l.ids)%max(1, rest/max(1, behind)) != 0 {
			continue
		}
		inner := rest / behind
		heads := len(l.ids) / inner
		if heads == 1 || !multiple(in[:l.axis()], out[:i]) {
			continue
		}
		j := i
		for n := 1; n < inner; {
			j++
			n *= out[j].N
		}
		found := l.spread(out, i, j)
		found.sizes[0], found.tiled = heads, true
		return found, true
	}
	return l, false
}

// multiple reports whether the number of elements of one shape is certainly a
// multiple of that of another.
func multiple(a, b []ir.Dim) bool {
	n, m, left := 1, 1, map[string]int{}
	for _, d := range a {
		if d.IsKnown() {
			n *= d.N
		} else {
			left[d.Sym]++
		}
	}
	for _, d := range b {
		if d.IsKnown() {
			m *= d.N
		} else if left[d.Sym]--; d.Sym == "" || left[d.Sym] < 0 {
			return false
		}
	}
	return m > 0 && n%m == 0
}

// spread lays the channels along axes i to j.
func (l labels) spread(shape []ir.Dim, i, j int) labels {
	l.axes, l.sizes = nil, nil
	for ; i <= j; i++ {
		l.axes, l.sizes = append(l.axes, i), append(l.sizes, shape[i].N)
	}
	l.tiled = false
	return l
}

func product(shape []ir.Dim) (int, bool) {
	n := 1
	for _, d := range shape {
		if !d.IsKnown() || d.N == 0 {
			return 0, false
		}
		n *= d.N
	}
	return n, true
}

// within finds the channels of l, which had the axes behind after them, from
// axis i of a new shape on.
func (l labels) within(behind, shape []ir.Dim, i int) (labels, bool) {
	n := 1
	for j := i; j < len(shape) && shape[j].IsKnown(); j++ {
		n *= shape[j].N
		if n == len(l.ids) {
			return l.spread(shape, i, j).trimmed(), true
		}
		if n > len(l.ids) && n%len(l.ids) == 0 && j == i && len(l.axes) == 1 && merged(behind, n/len(l.ids)) {
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
	if !known || len(axes) == 0 {
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
