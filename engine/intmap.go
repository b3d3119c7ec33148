package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
)

// mapsCodes matches the first node of a function of a value that comes from a
// grid, whose result integer steps read.
func mapsCodes(b *builder, n *ir.Node) bool {
	f := b.mapFrom(n, b.fromGrid)
	return f != nil && slices.ContainsFunc(f.out.reals, b.feedsIntegers)
}

// mapFrom is the function that begins with n, of an operand that is as asked.
func (b *builder) mapFrom(n *ir.Node, asked func(v *ir.Value) bool) *codeFunc {
	for _, v := range n.In {
		if v != nil && b.cst(v) == nil && asked(v) {
			if f := b.funcOf(v, n); f != nil {
				return f
			}
		}
	}
	return nil
}

// intMapForm looks a function of codes up in a table.
func intMapForm(b *builder, n *ir.Node) bool {
	f := b.mapFrom(n, func(v *ir.Value) bool { return b.val(v).coded != nil })
	if f == nil {
		return false
	}
	x := b.val(f.of).coded
	m, err := b.mapOf(f, x.codeGrid)
	if err != nil {
		return false
	}
	to := b.newCoded(f.v, f.out.codeGrid, x.last)
	b.absorbs(f)
	b.place(f.out, to)
	b.emitMap(n, m, to, x)
	return true
}

func (b *builder) emitMap(n *ir.Node, m *kernel.CodeMap, to, from *coded) {
	b.emit(&step{node: n, kernel: "int8 map", tasks: tasksFor(to.n), bytes: 2 * int64(to.n), reads: []*buf{from.b}, writes: []*buf{to.b},
		reuse: reuse(place{b: from.b}, to.b.floats),
		task: func(fr *frame, task int, _ []float32) {
			i, j := span(task, to.n)
			m.Run(fr.codes(to)[i:j], fr.codes(from)[i:j])
		}})
}

// mapBehind makes a table of the function that alone reads what a step brings to
// a grid, and returns the grid that it ends on.
func (b *builder) mapBehind(e *encoder) (*encoder, *kernel.CodeMap) {
	if len(e.reals) != 1 {
		return e, nil
	}
	uses := e.reals[0].Uses()
	if len(uses) == 0 || uses[0].In < 0 || b.done[uses[0].Node] {
		return e, nil
	}
	f := b.funcOf(e.reals[0], uses[0].Node)
	if f == nil || !f.alone {
		return e, nil
	}
	m, err := b.mapOf(f, e.codeGrid)
	if err != nil {
		return e, nil
	}
	b.absorbs(f)
	b.absorb(e.nodes...)
	return f.out, m
}

// mapRegion looks up the codes that one task of a convolution has written.
func mapRegion(m *kernel.CodeMap, c intPlan, task int, codes []uint8) {
	width := c.Shape().O
	r0, r1, c0, c1 := c.Region(task)
	rows, cols := r1-r0, c1-c0
	if cols == width {
		rows, cols = 1, rows*cols
	}
	for i := range rows {
		d := codes[(r0+i)*width+c0:][:cols]
		m.Run(d, d)
	}
}

// onGridOf brings codes onto another grid.
func (b *builder) onGridOf(n *ir.Node, v *ir.Value, g codeGrid) (*coded, error) {
	x := b.val(v).coded
	if x.codeGrid == g {
		return x, nil
	}
	m, err := b.mapOf(&codeFunc{of: v, v: v, out: &encoder{codeGrid: g}}, x.codeGrid)
	if err != nil {
		return nil, err
	}
	to := b.newCoded(v, g, x.last)
	b.emitMap(n, m, to, x)
	return to, nil
}

// intEither is the first of several forms that matches.
func intEither(forms ...func(b *builder, n *ir.Node) bool) func(b *builder, n *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		return slices.ContainsFunc(forms, func(f func(b *builder, n *ir.Node) bool) bool { return f(b, n) })
	}
}
