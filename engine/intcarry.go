package engine

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// carriesOn reports whether integer steps read what n makes of codes.
func carriesOn(b *builder, n *ir.Node) bool {
	v := n.Out[0]
	if next := b.only(v); next != nil {
		if e, ok := b.encoderOf(next); ok {
			return slices.ContainsFunc(e.reals, b.feedsIntegers)
		}
	}
	return b.feedsIntegers(v)
}

// fromGrid reports whether codes of a grid stand for v.
func (b *builder) fromGrid(v *ir.Value) bool {
	p := b.powerOf[v]
	return p != nil && p.steps != nil || is(v.Producer(), "DequantizeLinear")
}

// addsCodes matches a sum of two values that come from grids and whose result
// goes to one.
func addsCodes(b *builder, n *ir.Node) bool {
	if len(n.In) != 2 || n.In[0] == n.In[1] {
		return false
	}
	for _, v := range n.In {
		if !b.fromGrid(v) || !slices.Equal(b.val(v).shape, b.val(n.Out[0]).shape) {
			return false
		}
	}
	return b.clampTail(n.Out[0]).out != nil
}

// intAddForm adds codes of two grids.
func intAddForm(b *builder, n *ir.Node) bool {
	if !addsCodes(b, n) {
		return false
	}
	x, y := b.val(n.In[0]).coded, b.val(n.In[1]).coded
	if y == nil || x.last != y.last && !(b.flat(n.In[0], x) && b.flat(n.In[1], y)) {
		return false
	}
	t := b.clampTail(n.Out[0])
	b.absorb(t.nodes...)
	to := b.newCoded(t.v, t.out.codeGrid, x.last)
	b.place(t.out, to)
	unit, origin := to.unit()
	sum := kernel.Sum{Zero: uint8(to.zero), Steps: to.steps,
		Shift: float32(-(float64(x.zero)*float64(x.step)+float64(y.zero)*float64(y.step))/unit + origin)}
	sum.Lo, sum.Hi = to.bounds(t.lo, t.hi)
	mx, my := float32(float64(x.step)/unit), float32(float64(y.step)/unit)
	b.emit(&step{node: n, kernel: "int8 add", flops: int64(to.n), bytes: 3 * int64(to.n), tasks: tasksFor(to.n),
		reads: []*buf{x.b, y.b}, writes: []*buf{to.b}, reuse: reuse(place{b: x.b}, to.b.floats),
		task: func(f *frame, task int, _ []float32) {
			i, j := span(task, to.n)
			kernel.AddCodes(f.codes(to)[i:j], kernel.Term{Codes: f.codes(x)[i:j], Mul: mx}, kernel.Term{Codes: f.codes(y)[i:j], Mul: my}, sum)
		}})
	return true
}

// intPoolForm pools codes; the result is on their grid.
func intPoolForm(b *builder, n *ir.Node) bool {
	s, ok := b.poolShape(n)
	if !ok || !carriesOn(b, n) {
		return false
	}
	p, err := kernel.NewCodesPool(s)
	if err != nil {
		return false
	}
	x := b.codesLast(n.In[0], b.val(n.In[0]).coded)
	to := b.newCoded(n.Out[0], x.codeGrid, true)
	b.val(n.Out[0]).coded = to
	b.emit(&step{node: n, kernel: fmt.Sprintf("int8 maxpool %dx%d", s.KH, s.KW), tasks: p.Tasks(), scratch: (p.ScratchBytes() + 3) / 4,
		bytes: int64(x.n + to.n), reads: []*buf{x.b}, writes: []*buf{to.b},
		task: func(f *frame, task int, scratch []float32) { p.Run(task, f.codes(to), f.codes(x), byteView(scratch)) }})
	return true
}

// intReshapeForm gives codes in C order another shape.
func intReshapeForm(b *builder, n *ir.Node) bool {
	x, y := b.val(n.In[0]), b.val(n.Out[0])
	if !b.flat(n.In[0], x.coded) || tensor.Len(x.shape) != tensor.Len(y.shape) {
		return false
	}
	c := *x.coded
	c.last = false
	y.coded = &c
	return true
}
