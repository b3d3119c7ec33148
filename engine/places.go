package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// newBuf is room for n elements in the arena.
func newBuf(n int) *buf { return &buf{floats: n, ext: -1, first: -1} }

// constBuf holds constant elements.
func constBuf(x []float32) *buf { return &buf{floats: len(x), data: x, ext: -1} }

// has reports whether v has been computed (or is a constant or input).
func (b *builder) has(v *ir.Value) bool {
	x := b.val(v)
	return x.cst != nil || x.plain.b != nil || x.last.b != nil || x.view.b != nil || x.coded != nil || x.sum != nil || x.parts != nil || x.box >= 0
}

// isLast reports whether v lies with channels last and not in C order.
func (b *builder) isLast(v *ir.Value) bool {
	x := b.val(v)
	return x.last.b != nil && x.plain.b == nil
}

// dims splits a shape into batch, channels and pixels.
func dims(shape []int) (n, c, pixels int) { return shape[0], shape[1], tensor.Len(shape[2:]) }

// lastShape is a shape with channels last.
func lastShape(shape []int) []int { return channelsLast(shape) }

// channelsLast moves the entry of axis 1 to the end.
func channelsLast(list []int) []int {
	out := append([]int{list[0]}, list[2:]...)
	return append(out, list[1])
}

// dense reports whether the place has no gaps for c channels.
func (p place) dense(c int) bool { return p.stride == 0 || p.stride == c }

// pitch is the distance of pixels of c channels.
func (p place) pitch(c int) int {
	if p.stride == 0 {
		return c
	}
	return p.stride
}

// plain is where v lies in C order; it is brought there if it does not yet.
func (b *builder) plain(v *ir.Value) place {
	b.realise(v)
	x := b.val(v)
	switch {
	case x.plain.b != nil:
	case x.last.b != nil:
		x.plain = b.fromLast(v, x)
	case x.view.b != nil:
		x.plain = b.gathered(v, x.view, x.shape, x.steps)
	case x.cst != nil:
		x.plain = place{b: constBuf(b.p.weights.reals(x.cst))}
	default:
		x.plain = b.unbox(v, x)
	}
	return x.plain
}

// last is where v, of rank 3 or more, lies with channels last.
func (b *builder) last(v *ir.Value) place {
	b.realise(v)
	x := b.val(v)
	if x.last.b != nil {
		return x.last
	}
	n, c, pixels := dims(x.shape)
	if x.view.b != nil && x.plain.b == nil {
		x.last = b.gathered(v, x.view, lastShape(x.shape), channelsLast(x.steps))
		return x.last
	}
	from := b.plain(v)
	if c == 1 || pixels == 1 {
		x.last = from
		return from
	}
	if x.cst != nil {
		moved := make([]float32, tensor.Len(x.shape))
		kernel.NCHWToNHWC(moved, from.b.data[from.off:], n, c, pixels)
		x.last = place{b: constBuf(moved)}
		return x.last
	}
	if c*pixels > 2*chunk && c <= maxStrips {
		x.last = b.strips(v, from)
	} else {
		x.last = b.move(v, from, "to channels last", kernel.NCHWToNHWC)
	}
	return x.last
}

// maxStrips is the most channels of an image that is moved strip by strip.
const maxStrips = 16

// strips brings channels last by tasks that take a part of every channel.
func (b *builder) strips(v *ir.Value, from place) place {
	n, c, pixels := dims(b.val(v).shape)
	to := place{b: newBuf(n * c * pixels)}
	part := chunk / c
	parts := (pixels + part - 1) / part
	b.emit(&step{node: b.maker(v), kernel: "to channels last", tasks: n * parts, scratch: c * part, reads: []*buf{from.b}, writes: []*buf{to.b},
		task: func(f *frame, task int, scratch []float32) {
			image := task / parts * c * pixels
			at := task % parts * part
			wide := min(part, pixels-at)
			for i := range c {
				copy(scratch[i*wide:(i+1)*wide], f.at(from)[image+i*pixels+at:])
			}
			kernel.NCHWToNHWC(f.at(to)[image+at*c:], scratch, 1, c, wide)
		}})
	return to
}

// fromLast brings a value with channels last into C order.
func (b *builder) fromLast(v *ir.Value, x *value) place {
	_, c, pixels := dims(x.shape)
	from := b.dense(v, x.last, c)
	if c == 1 || pixels == 1 {
		return from
	}
	return b.move(v, from, "to channels first", kernel.NHWCToNCHW)
}

// dense closes the gaps between pixels.
func (b *builder) dense(v *ir.Value, from place, c int) place {
	if from.dense(c) {
		return from
	}
	x := b.val(v)
	total := tensor.Len(x.shape)
	to := place{b: newBuf(total)}
	b.emit(&step{node: b.maker(v), kernel: "close gaps", tasks: 1, reads: []*buf{from.b}, writes: []*buf{to.b},
		task: func(f *frame, _ int, _ []float32) {
			kernel.CopyPixels(f.at(to), f.at(from), total/c, c, c, from.stride)
		}})
	return to
}

// move emits a change of layout, one task per image.
func (b *builder) move(v *ir.Value, from place, name string, f func(dst, src []float32, n, c, hw int)) place {
	n, c, pixels := dims(b.val(v).shape)
	to := place{b: newBuf(n * c * pixels)}
	size := c * pixels
	b.emit(&step{node: b.maker(v), kernel: name, tasks: n, reads: []*buf{from.b}, writes: []*buf{to.b},
		task: func(fr *frame, i int, _ []float32) {
			f(fr.at(to)[i*size:], fr.at(from)[i*size:], 1, c, pixels)
		}})
	return to
}

// maker is the node that a step about v is named after.
func (b *builder) maker(v *ir.Value) *ir.Node {
	if n := v.Producer(); n != nil {
		return n
	}
	return &ir.Node{Name: v.Name, Op: "Input", Out: []*ir.Value{v}}
}

// newPlain gives v room in C order.
func (b *builder) newPlain(v *ir.Value) place {
	x := b.val(v)
	x.plain = place{b: newBuf(tensor.Len(x.shape))}
	return x.plain
}

// newLast gives v room with channels last: its home in a concatenation, where
// it has one.
func (b *builder) newLast(v *ir.Value) place {
	x := b.val(v)
	if h, ok := b.home[v]; ok {
		x.last = h
	} else {
		x.last = place{b: newBuf(tensor.Len(x.shape))}
	}
	return x.last
}

// reuse is the buffer of a place where a result of n elements may take it over:
// all of a buffer in the arena.
func reuse(p place, n int) *buf {
	if p.b == nil || !p.b.inArena() || p.off != 0 || p.b.floats != n {
		return nil
	}
	return p.b
}
