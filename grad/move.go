package grad

import (
	"slices"

	"pare/tensor"
)

// lowerMoved serves operators that only move elements of their first operand, or of
// every operand: where from, the reference evaluation of the operator on the elements'
// positions tells. What comes from nowhere is the value of operand fill, or zero.
func lowerMoved(data, fill int) func(b *builder) error {
	return func(b *builder) error {
		if !b.dtype(0).IsFloat() {
			return lowerReference(b)
		}
		n := len(b.node.In)
		if data > 0 {
			n = data
		}
		where, images, ok := b.positions(n, fill)
		if !ok {
			return lowerReference(b)
		}
		lay := plain
		for i := range n {
			if b.lies(i) == last && b.ranksAlike(n) {
				lay = last
			}
		}
		in := make([]*slot, n)
		for i := range in {
			in[i] = b.in(i, lay)
		}
		value := float32(0)
		if t := b.constant(fill); fill > 0 && t != nil {
			value = tensor.Float32s(t)[0]
		}
		for k := range b.node.Out {
			if b.wanted(k) {
				b.moved(in, k, where[k], images, value)
			}
		}
		return nil
	}
}

// ranksAlike reports whether the first n operands and all results have the same rank.
func (b *builder) ranksAlike(n int) bool {
	rank := len(b.shape(0))
	for i := range n {
		if len(b.shape(i)) != rank {
			return false
		}
	}
	for k := range b.node.Out {
		if b.wanted(k) && len(b.sizes(k)) != rank {
			return false
		}
	}
	return true
}

// moved makes result k of elements of the operands, those of the first image of where,
// of which there are as many images alike.
func (b *builder) moved(in []*slot, k int, where *tensor.Tensor, images int, value float32) {
	lay := plain
	if slices.ContainsFunc(in, func(x *slot) bool { return x.lay == last }) {
		lay = last
	}
	y := b.out(k, lay)
	st := b.step(in, []*slot{y})
	runs := copiedRuns(where, in, y, images)
	fills := fillRuns(runs, y.size())
	for i, x := range in {
		mine := runs[i]
		st.then(runTasks(mine, func(c copied) { copy(y.data[c.to:c.to+c.n], x.data[c.from:]) }))
		if st.wants(i) {
			st.back(gathered(mine, x.size(), func() []float32 { return st.dx[i] }, func() []float32 { return y.grad }))
		}
	}
	if len(fills) > 0 {
		st.then(runTasks(fills, func(c copied) { fill(y.data[c.to:c.to+c.n], value) }))
	}
}
