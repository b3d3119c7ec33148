package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
)

// scalesOnto matches a batch normalisation, with a clamp, whose result comes to a
// grid that integer steps read.
func scalesOnto(b *builder, n *ir.Node) bool {
	shape := b.val(n.Out[0]).shape
	if !is(n, "BatchNormalization") || len(shape) < 3 || !b.real(n.In[0], n.Out[0]) {
		return false
	}
	if scale, _, _ := b.normChannels(n, shape[1]); scale == nil {
		return false
	}
	t := b.clampTail(n.Out[0])
	return t.out != nil && t.out.steps == nil && slices.ContainsFunc(t.out.reals, b.feedsIntegers)
}

// scalesCodes matches what intScaleForm computes: of codes of one grid, or of
// channels joined from several.
func scalesCodes(b *builder, n *ir.Node) bool {
	from := n.In[0]
	return scalesOnto(b, n) && (b.fromGrid(from) && b.powerOf[from] == nil || from.Producer() != nil && joinsParts(b, from.Producer()))
}

// joinsParts matches a concatenation of channels that come from grids, which
// batch normalisations alone read.
func joinsParts(b *builder, n *ir.Node) bool {
	if !is(n, "Concat") || b.m.Graph.IsOutput(n.Out[0]) || len(b.val(n.Out[0]).shape) < 3 {
		return false
	}
	if axis, ok := axisOf(n.Int("axis", 1), len(b.val(n.Out[0]).shape)); !ok || axis != 1 {
		return false
	}
	return !slices.ContainsFunc(n.In, func(v *ir.Value) bool { return !b.fromGrid(v) || b.powerOf[v] != nil }) &&
		!slices.ContainsFunc(n.Out[0].Uses(), func(u ir.Use) bool {
			return u.In != 0 || b.done[u.Node] || !b.alive[u.Node] || !b.static(u.Node) || !scalesOnto(b, u.Node)
		})
}

// intPartsForm leaves joined channels where they are: those who read them know
// that they lie apart.
func intPartsForm(b *builder, n *ir.Node) bool {
	if !joinsParts(b, n) || slices.ContainsFunc(n.In, func(v *ir.Value) bool { return b.val(v).coded == nil }) {
		return false
	}
	for _, v := range n.In {
		x := b.val(n.Out[0])
		x.parts = append(x.parts, b.codesLast(v, b.val(v).coded))
	}
	return true
}

// intScaleForm normalises channels of codes, joining those that lie apart.
func intScaleForm(b *builder, n *ir.Node) bool {
	if !scalesOnto(b, n) {
		return false
	}
	parts := b.val(n.In[0]).parts
	if parts == nil {
		parts = []*coded{b.codesLast(n.In[0], b.val(n.In[0]).coded)}
	}
	t := b.clampTail(n.Out[0])
	b.absorb(t.nodes...)
	to := b.newCoded(t.v, t.out.codeGrid, true)
	b.place(t.out, to)
	images, c, pixels := dims(b.val(n.In[0]).shape)
	scale, shift, _ := b.normChannels(n, c)
	lo, hi := to.bounds(t.lo, t.hi)
	rows := max(1, scaleChunk/c) // of one task
	st := &step{node: n, kernel: "int8 scale", tasks: (images*pixels + rows - 1) / rows, flops: 2 * int64(to.n), bytes: 2 * int64(to.n), writes: []*buf{to.b}}
	var lists []kernel.ScaleShift
	for _, p := range parts {
		st.reads = append(st.reads, p.b)
		width := p.n / (images * pixels)
		s := kernel.ScaleShift{Lo: lo, Hi: hi, Zero: uint8(to.zero)}
		for i := range width {
			mul := scale[i] * float64(p.step)
			s.Mul = append(s.Mul, float32(mul/float64(to.step)))
			s.Add = append(s.Add, float32((shift[i]-float64(p.zero)*mul)/float64(to.step)))
		}
		scale, shift, lists = scale[width:], shift[width:], append(lists, s)
	}
	st.task = func(f *frame, task int, _ []float32) {
		r0 := task * rows
		r1 := min(r0+rows, images*pixels)
		d := f.codes(to)[r0*c : r1*c]
		for i, p := range parts {
			width := len(lists[i].Mul)
			lists[i].Run(d, f.codes(p)[r0*width:r1*width], r1-r0, c, width)
			d = d[min(width, len(d)):]
		}
	}
	b.emit(st)
	return true
}

// scaleChunk is how many codes one task scales.
const scaleChunk = 64 << 10
