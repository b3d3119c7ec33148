package engine

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// region is a part of coded values: where it begins and the distances along the
// axes of its shape.
type region struct {
	c     *coded
	off   int
	steps []int
}

// all is the region of the whole of v.
func (b *builder) all(v *ir.Value, c *coded) region {
	shape := b.val(v).shape
	if !c.last {
		return region{c, 0, strided(shape)}
	}
	s := lastSteps(shape, shape[1])
	k := len(s) - 1
	return region{c, 0, slices.Concat(s[:1], s[k:], s[1:k])}
}

// moveCodes emits a copy of elements of the shape.
func (b *builder) moveCodes(n *ir.Node, name string, to, from region, shape []int) {
	toSteps, fromSteps := to.steps, from.steps
	if to.c.last {
		shape, toSteps, fromSteps = channelsLast(shape), channelsLast(toSteps), channelsLast(fromSteps)
	}
	c := newCopying(shape, toSteps, fromSteps)
	b.emit(&step{node: n, kernel: name, tasks: c.tasks, reads: []*buf{from.c.b}, writes: []*buf{to.c.b}, bytes: 2 * int64(tensor.Len(shape)),
		task: func(f *frame, task int, _ []float32) {
			copyStrided(c, task, f.codes(to.c)[to.off:], f.codes(from.c)[from.off:], transposeCodes)
		}})
}

func transposeCodes(dst, src []uint8, rows, cols int) {
	for r := range rows {
		for c, v := range src[r*cols : (r+1)*cols] {
			dst[c*rows+r] = v
		}
	}
}

// intPart lowers a node whose result is a strided part of its operand.
func intPart(name string, part func(b *builder, n *ir.Node, whole []int) (off int, steps []int, ok bool)) func(b *builder, n *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		from := b.all(n.In[0], b.val(n.In[0]).coded)
		off, steps, ok := part(b, n, from.steps)
		if !ok || !carriesOn(b, n) {
			return false
		}
		v := n.Out[0]
		to := b.newCoded(v, from.c.codeGrid, len(b.val(v).shape) >= 3 && (from.c.last || b.wantsLast(v)))
		b.moveCodes(n, name, b.all(v, to), region{from.c, off, steps}, b.val(v).shape)
		b.val(v).coded = to
		return true
	}
}

// intPadForm puts codes of zero around others.
func intPadForm(b *builder, n *ir.Node) bool {
	x, v := b.val(n.In[0]), n.Out[0]
	before, _, ok := b.padding(n)
	if !ok || !carriesOn(b, n) {
		return false
	}
	if len(n.In) > 2 && n.In[2] != nil {
		if value, ok := b.scalar(n.In[2]); !ok || value != 0 {
			return false
		}
	}
	to := b.newCoded(v, x.coded.codeGrid, x.coded.last)
	b.emit(&step{node: n, kernel: "int8 fill", tasks: 1, writes: []*buf{to.b}, bytes: int64(to.n),
		task: func(f *frame, _ int, _ []float32) {
			d := f.codes(to)
			d[0] = uint8(to.zero)
			for n := 1; n < len(d); n *= 2 {
				copy(d[n:], d[:n])
			}
		}})
	r := b.all(v, to)
	for i, k := range before {
		r.off += k * r.steps[i]
	}
	b.moveCodes(n, "int8 pad", r, b.all(n.In[0], x.coded), x.shape)
	b.val(v).coded = to
	return true
}

// joinsCodes matches a concatenation of values that come from one grid.
func joinsCodes(b *builder, n *ir.Node) bool {
	first := n.In[0]
	return b.fromGrid(first) && !slices.ContainsFunc(n.In, func(v *ir.Value) bool {
		if p, q := b.powerOf[first], b.powerOf[v]; p != nil || q != nil {
			return p == nil || q == nil || q.steps == nil || p.grid() != q.grid()
		}
		return !b.fromGrid(v) || !b.sameGrid(first.Producer(), v.Producer())
	}) && carriesOn(b, n)
}

// intConcatForm joins codes of one grid.
func intConcatForm(b *builder, n *ir.Node) bool {
	x, v := b.val(n.In[0]).coded, n.Out[0]
	axis, ok := axisOf(n.Int("axis", 1), len(b.val(v).shape))
	if !ok || !joinsCodes(b, n) {
		return false
	}
	for _, o := range n.In {
		if c := b.val(o).coded; c == nil || c.codeGrid != x.codeGrid || c.last != x.last {
			return false
		}
	}
	parts := make([]*coded, len(n.In))
	for i, o := range n.In {
		parts[i] = b.val(o).coded
	}
	b.val(v).coded = b.join(n, axis, parts)
	return true
}

// join emits copies of codes of one grid to their places side by side.
func (b *builder) join(n *ir.Node, axis int, parts []*coded) *coded {
	to := b.newCoded(n.Out[0], parts[0].codeGrid, parts[0].last)
	r := b.all(n.Out[0], to)
	for i, o := range n.In {
		b.moveCodes(n, "int8 concat", r, b.all(o, parts[i]), b.val(o).shape)
		r.off += b.val(o).shape[axis] * r.steps[axis]
	}
	return to
}

// joinsGrids matches a concatenation of values that come from grids, whose result
// comes to one that integer steps read.
func joinsGrids(b *builder, n *ir.Node) bool {
	e, ok := b.encoderBehind(n.Out[0])
	return ok && slices.ContainsFunc(e.reals, b.feedsIntegers) && !slices.ContainsFunc(n.In, func(v *ir.Value) bool { return !b.fromGrid(v) })
}

// encoderBehind is the encoder that alone reads v.
func (b *builder) encoderBehind(v *ir.Value) (*encoder, bool) {
	n := b.only(v)
	if n == nil || n.In[0] != v {
		return nil, false
	}
	return b.encoderOf(n)
}

// intConcatGrids joins codes of several grids on that of the result.
func intConcatGrids(b *builder, n *ir.Node) bool {
	e, ok := b.encoderBehind(n.Out[0])
	axis, known := axisOf(n.Int("axis", 1), len(b.val(n.Out[0]).shape))
	if !ok || !known {
		return false
	}
	first := b.val(n.In[0]).coded
	for _, o := range n.In {
		if c := b.val(o).coded; c == nil || c.last != first.last {
			return false
		}
	}
	parts := make([]*coded, len(n.In))
	for i, o := range n.In {
		var err error
		if parts[i], err = b.onGridOf(n, o, e.codeGrid); err != nil {
			return false
		}
	}
	b.place(e, b.join(n, axis, parts))
	return true
}
