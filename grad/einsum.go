package grad

import (
	"slices"

	"pare/op"
)

// lowerEinsum writes sums of products of two operands as products of matrices.
// Diagonals, sums over subscripts of one operand alone and other numbers of operands
// are left to the reference.
func lowerEinsum(b *builder) error {
	if len(b.node.In) != 2 {
		return lowerReference(b)
	}
	in, out, err := op.EinsumTerms(b.node.Str("equation", ""), len(b.shape(0)), len(b.shape(1)))
	if err != nil {
		return err
	}
	e := &einsum{sizes: map[rune]int{}}
	for i, subs := range in {
		for k, s := range subs {
			n := b.shape(i)[k]
			if old, ok := e.sizes[s]; ok && old != n || slices.Contains(subs[:k], s) {
				return lowerReference(b)
			}
			e.sizes[s] = n
		}
	}
	if !e.sort(in, out) {
		return lowerReference(b)
	}
	x := b.reshaped(b.ordered(b.in(0, plain), in[0], slices.Concat(e.both, e.rows, e.inner)), []int{e.size(e.both), e.size(e.rows), e.size(e.inner)})
	w := b.reshaped(b.ordered(b.in(1, plain), in[1], slices.Concat(e.both, e.cols, e.inner)), []int{e.size(e.both), e.size(e.cols), e.size(e.inner)})
	z := b.newSlot(x.name, []int{e.size(e.both), e.size(e.rows), e.size(e.cols)}, plain)
	b.matMul(x, w, z, true, 1)
	made := slices.Concat(e.both, e.rows, e.cols)
	shape := make([]int, len(made))
	for i, s := range made {
		shape[i] = e.sizes[s]
	}
	turned := b.ordered(b.reshaped(z, shape), made, out)
	b.step([]*slot{turned}, []*slot{b.out(0, plain)}).views()
	return nil
}

// einsum sorts subscripts by what they are in a product of stacks of matrices.
type einsum struct {
	sizes                   map[rune]int
	both, rows, cols, inner []rune
}

// sort reports whether every subscript has a place.
func (e *einsum) sort(in [][]rune, out []rune) bool {
	for i, subs := range in {
		for _, s := range subs {
			shared, kept := slices.Contains(in[1-i], s), slices.Contains(out, s)
			switch {
			case shared && i == 1:
			case shared && kept:
				e.both = append(e.both, s)
			case shared:
				e.inner = append(e.inner, s)
			case !kept:
				return false
			case i == 0:
				e.rows = append(e.rows, s)
			default:
				e.cols = append(e.cols, s)
			}
		}
	}
	return true
}

func (e *einsum) size(subs []rune) int {
	n := 1
	for _, s := range subs {
		n *= e.sizes[s]
	}
	return n
}

// ordered is x, whose axes are subs, with its axes in another order.
func (b *builder) ordered(x *slot, subs, order []rune) *slot {
	perm := make([]int, len(order))
	for i, s := range order {
		perm[i] = slices.Index(subs, s)
	}
	return b.permuted(x, perm...)
}
