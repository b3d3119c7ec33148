package grad

import (
	"slices"

	"pare/kernel"
)

// lowerTranspose permutes axes.
func lowerTranspose(b *builder) error {
	x := b.in(0, plain)
	perm := b.node.Ints("perm")
	if perm == nil {
		for i := range x.shape {
			perm = append([]int{i}, perm...)
		}
	}
	b.permute(x, b.out(0, plain), perm)
	return nil
}

// permute makes y, whose axis i is axis perm[i] of x; both are plain.
func (b *builder) permute(x, y *slot, perm []int) {
	st := b.step([]*slot{x}, []*slot{y})
	m := moveOf(x.shape, perm)
	st.then(m.work(func() []float32 { return y.data }, func() []float32 { return x.data }))
	if st.wants(0) {
		back := make([]int, len(perm))
		for i, p := range perm {
			back[p] = i
		}
		m := moveOf(y.shape, back)
		st.back(m.work(func() []float32 { return st.dx[0] }, func() []float32 { return y.grad }))
	}
}

// permuted is x with its axes permuted.
func (b *builder) permuted(x *slot, perm ...int) *slot {
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = x.shape[p]
	}
	y := b.newSlot(x.name, shape, plain)
	b.permute(x, y, perm)
	return y
}

// move copies a permuted array, one block after the other: blocks are runs that
// lie dense on both sides, or matrices that are transposed.
type move struct {
	from       []int // where the block of each index of the outer axes begins in the source
	rows, cols int   // of the block in the source
	pitch      int   // from row to row in the source
	turned     bool  // the block's rows become columns
}

// moveOf is that of an array of the given shape.
func moveOf(shape, perm []int) move {
	dims, steps := merged(shape, perm)
	k := len(dims)
	if k == 0 || steps[k-1] == 1 {
		m := move{rows: 1, cols: 1, from: []int{0}}
		if k > 0 {
			k--
			m.cols, m.pitch = dims[k], dims[k]
		}
		for i := range k {
			m.from = spaced(m.from, dims[i], steps[i])
		}
		return m
	}
	// The axis that is dense in the source becomes the columns of a matrix whose
	// rows are the last axis of the result, where they are neighbours; else rows of 1.
	m := move{rows: dims[k-1], cols: 1, pitch: steps[k-1], turned: true, from: []int{0}}
	k--
	if k > 0 && steps[k-1] == 1 {
		k--
		m.cols = dims[k]
	}
	for i := range k {
		m.from = spaced(m.from, dims[i], steps[i])
	}
	return m
}

// merged is the axes of the result with their steps in the source, neighbours
// that stay so merged and those of length 1 left out.
func merged(shape, perm []int) (dims, steps []int) {
	at := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		at[i] = step
		step *= shape[i]
	}
	for _, p := range perm {
		if shape[p] == 1 {
			continue
		}
		if n := len(dims); n > 0 && steps[n-1] == at[p]*shape[p] {
			dims[n-1] *= shape[p]
			steps[n-1] = at[p]
			continue
		}
		dims, steps = append(dims, shape[p]), append(steps, at[p])
	}
	return dims, steps
}

func (m *move) work(dst, src func() []float32) work {
	size := m.rows * m.cols
	each := max(1, grain/max(1, size))
	w := spanBy(len(m.from), each, nil)
	if m.turned && m.cols > 1 && m.pitch != m.cols {
		w.scratch = size
	}
	w.run = func(task int, t []float32) {
		d, s := dst(), src()
		for i := task * each; i < min(len(m.from), (task+1)*each); i++ {
			m.block(d[i*size:(i+1)*size], s[m.from[i]:], t)
		}
	}
	return w
}

func (m *move) block(dst, src, t []float32) {
	switch {
	case !m.turned:
		copy(dst, src)
	case m.cols == 1:
		for i := range dst {
			dst[i] = src[i*m.pitch]
		}
	case m.pitch == m.cols:
		kernel.Transpose(dst, src[:len(dst)], m.rows, m.cols)
	default:
		for r := range m.rows {
			copy(t[r*m.cols:(r+1)*m.cols], src[r*m.pitch:])
		}
		kernel.Transpose(dst, t[:len(dst)], m.rows, m.cols)
	}
}

// alongLast lowers what works on lines along an axis of operand 0: make makes y from
// x, both with the axis last.
func (b *builder) alongLast(axis int, make func(x, y *slot)) {
	rank := len(b.shape(0))
	if axis < -rank || axis >= rank {
		refuse("axis %d is outside a tensor of rank %d", axis, rank)
	}
	axis = (axis + rank) % rank
	lay := plain
	if axis == 1 && rank > 2 {
		lay = last
	}
	x := b.in(0, lay)
	if axis == rank-1 || lay == last {
		make(x, b.out(0, lay))
		return
	}
	perm := exchange(rank, axis)
	turned := b.permuted(x, perm...)
	y := b.newSlot(turned.name, turned.shape, plain)
	make(turned, y)
	b.permute(y, b.out(0, plain), perm)
}

// exchange is the permutation that exchanges an axis with the last, its own inverse.
func exchange(rank, axis int) []int {
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = i
	}
	perm[axis], perm[rank-1] = rank-1, axis
	return slices.Clip(perm)
}
