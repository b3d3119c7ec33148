package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// Rows whose length is a multiple of the sets of the first cache evict each other
// where a product reads several at a time. They lie a little apart then.

// spread is where the rows of x that a product reads lie, and their distance.
func (b *builder) spread(x *ir.Value, g product) (place, int) {
	from, steps := b.strided(x)
	shape := b.val(x).shape
	last := len(shape) - 1
	pitch, ok := joinedStep(shape[:last], steps[:last])
	if g.m == 1 {
		pitch = g.k
	}
	if !ok || pitch < g.k || steps[last] != 1 && g.k > 1 {
		from, pitch = b.plain(x), g.k
	}
	if kernel.RowPitch(pitch) == pitch || g.m < spreadRows || g.n < spreadColumns {
		return from, pitch
	}
	if p, ok := b.apart[x]; ok {
		return p, kernel.RowPitch(g.k)
	}
	to, wide := place{b: newBuf(g.m * kernel.RowPitch(g.k))}, kernel.RowPitch(g.k)
	b.copyTo(b.maker(x), "spread rows", to, []int{wide, 1}, from, []int{g.m, g.k}, []int{pitch, 1})
	b.apart[x] = to
	return to, wide
}

// Smaller products are not worth a copy.
const (
	spreadRows    = 24
	spreadColumns = 128
)

// newRows gives v room in C order, with rows apart where only products read it.
func (b *builder) newRows(v *ir.Value) (p place, pitch int) {
	shape := b.val(v).shape
	last := len(shape) - 1
	cols := shape[last]
	rows := tensor.Len(shape) / cols
	if pitch = kernel.RowPitch(cols); pitch == cols || rows < spreadRows || !b.feedsProducts(v) {
		return b.newPlain(v), cols
	}
	steps := strided(shape)
	for i := range last {
		steps[i] = steps[i] / cols * pitch
	}
	p = place{b: newBuf(rows * pitch)}
	b.val(v).view, b.val(v).steps = p, steps
	return p, pitch
}

// feedsProducts reports whether only products with constant matrices read v.
func (b *builder) feedsProducts(v *ir.Value) bool {
	if b.m.Graph.IsOutput(v) {
		return false
	}
	for _, u := range v.Uses() {
		n := u.Node
		if u.In != 0 || !b.alive[n] || !is(n, "MatMul") && !is(n, "Gemm") || len(n.In) < 2 || b.cst(n.In[1]) == nil || b.cst(n.In[1]).Rank() != 2 || n.Int("transA", 0) != 0 {
			return false
		}
	}
	return true
}
