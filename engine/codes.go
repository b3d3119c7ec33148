package engine

import (
	"math"
	"slices"
	"unsafe"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// codeGrid is an affine grid of at most 8 bits for a whole tensor. Its codes are
// kept as u8: signed ones are stored 128 higher.
type codeGrid struct {
	t            tensor.DType // of the codes in the graph
	step         float32
	zero, lo, hi int
	// steps, unless nil, say which code a number gets: that of step x·factor + offset.
	steps          *kernel.Steps
	factor, offset float32
}

// coded is where a value lies as codes: dense, with channels last or in C
// order.
type coded struct {
	codeGrid
	scales *kernel.Scales // the grid as kernels that quantise take it
	b      *buf
	n      int
	last   bool
	// real is the place of the same as float32, once something asked for it.
	real place
}

// newCoded is room for the codes of v.
func (b *builder) newCoded(v *ir.Value, g codeGrid, last bool) *coded {
	n := tensor.Len(b.val(v).shape)
	return &coded{codeGrid: g, scales: g.scale(), b: newBuf((n + 3) / 4), n: n, last: last}
}

// byteView sees float32 memory as bytes.
func byteView(x []float32) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// codes is the memory of coded values, nil for none.
func (f *frame) codes(c *coded) []uint8 {
	if c == nil {
		return nil
	}
	return byteView(f.at(place{b: c.b}))[:c.n]
}

// codeGridOf reads the constant grid of a QuantizeLinear for a whole tensor.
func (b *builder) codeGridOf(n *ir.Node) (g codeGrid, ok bool) {
	if n.Int("precision", 0) != 0 || n.Int("block_size", 0) != 0 || b.m.Opset("") < 13 {
		return g, false
	}
	if g.step, ok = b.scalar(n.In[1]); !ok || b.cst(n.In[1]).Type != tensor.Float32 || !(g.step > 0) {
		return g, false
	}
	t := tensor.DType(n.Int("output_dtype", int(tensor.Uint8)))
	if len(n.In) > 2 && n.In[2] != nil {
		z := b.cst(n.In[2])
		if z == nil || z.Len() != 1 {
			return g, false
		}
		t, g.zero = z.Type, int(tensor.Float64s(z)[0])
	}
	if !t.IsInt() || t.Bits() > 8 {
		return g, false
	}
	g.t = t
	g.hi = 1<<t.Bits() - 1
	if !t.IsUnsigned() {
		half := (g.hi + 1) / 2
		g.lo, g.hi, g.zero = 128-half, 127+half, g.zero+128
	}
	return g, true
}

// scale is the grid as kernels that quantise take it.
func (g codeGrid) scale() *kernel.Scales {
	return kernel.NewScales([]kernel.Scale{{Step: g.step, Zero: int32(g.zero), Lo: int32(g.lo), Hi: int32(g.hi)}})
}

// unit is the distance of numbers that an epilogue rounds apart, and origin what
// it adds to a number in units.
func (g codeGrid) unit() (unit, origin float64) {
	if g.steps != nil {
		return 1 / float64(g.factor), float64(g.offset)
	}
	return float64(g.step), 0
}

// bounds are clamps of a real value on the grid, in units from zero; some room
// is left between them.
func (g codeGrid) bounds(lo, hi float32) (float32, float32) {
	if g.steps != nil {
		lo, hi = float32(lo*g.factor)+g.offset, float32(hi*g.factor)+g.offset
		return lo, max(hi, math.Nextafter32(lo, inf))
	}
	lo = max(lo/g.step, float32(g.lo-g.zero))
	hi = min(hi/g.step, float32(g.hi-g.zero))
	return lo, max(hi, math.Nextafter32(lo, inf))
}

// flat reports whether codes lie in C order, too.
func (b *builder) flat(v *ir.Value, c *coded) bool {
	if !c.last {
		return true
	}
	_, channels, pixels := dims(b.val(v).shape)
	return channels == 1 || pixels == 1
}

// lastCodes reports whether codes of a value of rank 3 or more lie with
// channels last.
func (b *builder) lastCodes(v *ir.Value, c *coded) bool {
	_, channels, pixels := dims(b.val(v).shape)
	return c.last || channels == 1 || pixels == 1
}

// quantize writes the codes of x.
func (c *coded) quantize(dst []uint8, x []float32) {
	if c.steps != nil {
		c.steps.Run(dst, x, c.factor, c.offset)
		return
	}
	kernel.QuantizeU8(dst, x, c.scales)
}

// realise gives a value that lies as codes a place as float32.
func (b *builder) realise(v *ir.Value) {
	x := b.val(v)
	if x.plain.b != nil || x.last.b != nil {
		return
	}
	switch {
	case x.coded != nil:
		b.lay(x, x.coded, b.realOf(v, x.coded))
	case x.sum != nil:
		b.lay(x, x.sum[0], b.realSum(v, x.sum))
	}
}

// lay says that x lies at p in the layout of c.
func (b *builder) lay(x *value, c *coded, p place) {
	if c.last {
		x.last = p
	} else {
		x.plain = p
	}
}

// realOf is the place of what the codes of v stand for as float32.
func (b *builder) realOf(v *ir.Value, c *coded) place {
	if c.real.b == nil {
		c.real = place{b: newBuf(c.n)}
		scale := c.scale()
		b.emit(&step{node: b.maker(v), kernel: "dequantize", tasks: tasksFor(c.n), reads: []*buf{c.b}, writes: []*buf{c.real.b}, bytes: 5 * int64(c.n),
			task: func(f *frame, task int, _ []float32) {
				i, j := span(task, c.n)
				kernel.DequantizeU8(f.at(c.real)[i:j], f.codes(c)[i:j], scale)
			}})
	}
	return c.real
}

// quantize emits the step that brings a value onto the grid of an encoder, with
// channels last where it lies so or what reads it wants that.
func (b *builder) quantize(n *ir.Node, v *ir.Value, e *encoder) *coded {
	shape, last := b.val(v).shape, false
	if len(shape) >= 3 {
		last = b.isLast(v) || slices.ContainsFunc(e.reals, b.readLast)
	}
	var from place
	if last {
		from = b.dense(v, b.last(v), shape[1])
	} else {
		from = b.plain(v)
	}
	c := b.newCoded(v, e.codeGrid, last)
	b.emit(&step{node: n, kernel: "quantize", tasks: tasksFor(c.n), reads: []*buf{from.b}, writes: []*buf{c.b}, bytes: 5 * int64(c.n),
		task: func(f *frame, task int, _ []float32) {
			i, j := span(task, c.n)
			c.quantize(f.codes(c)[i:j], f.at(from)[i:j])
		}})
	return c
}

// readLast reports whether a form reads v, or what it makes of v, with channels
// last.
func (b *builder) readLast(v *ir.Value) bool {
	return len(b.val(v).shape) >= 3 && slices.ContainsFunc(v.Uses(), func(u ir.Use) bool {
		f, ok := b.intFormOf(u.Node)
		return ok && (f.spatial || f.keeps && b.wantsLast(u.Node.Out[0]))
	})
}

// wantsLast is readLast for v or what its codes stand for.
func (b *builder) wantsLast(v *ir.Value) bool {
	if next := b.only(v); next != nil {
		if e, ok := b.encoderOf(next); ok {
			return slices.ContainsFunc(e.reals, b.readLast)
		}
	}
	return b.readLast(v)
}

// codesLast brings codes of a value of rank 3 or more to channels last.
func (b *builder) codesLast(v *ir.Value, c *coded) *coded {
	_, channels, pixels := dims(b.val(v).shape)
	if c.last || channels == 1 || pixels == 1 {
		return c
	}
	to := b.newCoded(v, c.codeGrid, true)
	b.moveCodes(b.maker(v), "int8 to channels last", b.all(v, to), b.all(v, c), b.val(v).shape)
	return to
}
