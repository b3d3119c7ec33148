package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// gateOf matches a product of a value that comes from a grid with one number for
// each channel of each image, or of all, whose result comes to a grid.
func (b *builder) gateOf(n *ir.Node) (x, gate *ir.Value, t intTail, ok bool) {
	if len(n.In) != 2 || n.In[0] == n.In[1] {
		return nil, nil, t, false
	}
	shape := b.val(n.Out[0]).shape
	for i, v := range n.In {
		g := n.In[1-i]
		s := b.val(g).shape
		if len(shape) >= 3 && slices.Equal(b.val(v).shape, shape) && b.fromGrid(v) && len(s) == len(shape) && b.real(g) &&
			s[1] == shape[1] && (s[0] == 1 || s[0] == shape[0]) && tensor.Len(s[2:]) == 1 && tensor.Len(shape[2:]) > 1 {
			t = b.clampTail(n.Out[0])
			return v, g, t, t.out != nil && t.out.steps == nil
		}
	}
	return nil, nil, t, false
}

// gatesCodes matches what intGateForm computes where integer steps read it.
func gatesCodes(b *builder, n *ir.Node) bool {
	_, _, t, ok := b.gateOf(n)
	return ok && slices.ContainsFunc(t.out.reals, b.feedsIntegers)
}

// intGateForm scales the channels of codes by numbers that a run computes.
func intGateForm(b *builder, n *ir.Node) bool {
	v, gate, t, ok := b.gateOf(n)
	if !ok || b.val(v).coded == nil || !b.has(gate) {
		return false
	}
	x := b.codesLast(v, b.val(v).coded)
	g := b.plain(gate)
	b.absorb(t.nodes...)
	to := b.newCoded(t.v, t.out.codeGrid, true)
	b.place(t.out, to)
	shape := b.val(v).shape
	_, c, pixels := dims(shape)
	one := b.val(gate).shape[0] == 1
	lo, hi := to.bounds(t.lo, t.hi)
	rows := max(1, chunk/c) // of one task
	parts := (pixels + rows - 1) / rows
	width := sideBySide(c, pixels)
	b.emit(&step{node: n, kernel: "int8 gate", tasks: shape[0] * parts, flops: 2 * int64(to.n), bytes: 2 * int64(to.n), scratch: width,
		reads: []*buf{x.b, g.b}, writes: []*buf{to.b}, reuse: reuse(place{b: x.b}, to.b.floats),
		task: func(f *frame, task int, scratch []float32) {
			image, part := task/parts, task%parts
			k := kernel.Gate{Mul: scratch[:width], Lo: lo, Hi: hi, From: uint8(x.zero), Zero: uint8(to.zero), Step: x.step, Unit: to.step}
			gates := f.at(g)
			if !one {
				gates = gates[image*c:]
			}
			for i := range k.Mul {
				k.Mul[i] = gates[i%c]
			}
			i, j := (image*pixels+part*rows)*c, (image*pixels+min((part+1)*rows, pixels))*c
			k.Run(f.codes(to)[i:j], f.codes(x)[i:j])
		}})
	return true
}

// sideBySide is how many elements of pixels of c channels each are worth a call:
// those of one pixel or of several.
func sideBySide(c, pixels int) int { return c * max(1, min(pixels, 512/c)) }
