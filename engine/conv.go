package engine

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// convRows are convolutions of one and two spatial axes with constant weights.
var convRows = []row{
	{op: "Conv", lower: lowerConv},
}

// slide is a window over one or two spatial axes; one axis is the second of two.
type slide struct {
	kernel, stride, dil, before, after [2]int
}

// slideOf reads the window attributes of a node over spatial axes of the given
// sizes.
func slideOf(n *ir.Node, in, kernel []int) (s slide, ok bool) {
	axes := len(in)
	if axes < 1 || axes > 2 || len(kernel) != axes {
		return s, false
	}
	for _, p := range []*[2]int{&s.kernel, &s.stride, &s.dil} {
		*p = [2]int{1, 1}
	}
	from := 2 - axes
	copy(s.kernel[from:], kernel)
	stride, dil, pads := n.Ints("strides"), n.Ints("dilations"), n.Ints("pads")
	own := n.Ints("kernel_shape")
	if odd(stride, axes) || odd(dil, axes) || odd(pads, 2*axes) || own != nil && !slices.Equal(own, kernel) {
		return s, false
	}
	copy(s.stride[from:], stride)
	copy(s.dil[from:], dil)
	auto := n.Str("auto_pad", "NOTSET")
	if auto == "NOTSET" || auto == "" {
		if len(pads) == 2*axes {
			copy(s.before[from:], pads[:axes])
			copy(s.after[from:], pads[axes:])
		}
		return s, true
	}
	for i, size := range in {
		k := from + i
		if auto == "VALID" {
			continue
		}
		out := (size + s.stride[k] - 1) / s.stride[k]
		total := max(0, (out-1)*s.stride[k]+(s.kernel[k]-1)*s.dil[k]+1-size)
		s.before[k] = total / 2
		if auto == "SAME_LOWER" {
			s.before[k] = total - total/2
		}
		s.after[k] = total - s.before[k]
	}
	return s, auto == "VALID" || auto == "SAME_UPPER" || auto == "SAME_LOWER"
}

// odd reports whether an attribute is present but not of n entries above zero
// (padding: not below).
func odd(list []int, n int) bool {
	return list != nil && (len(list) != n || slices.Min(list) < 0)
}

// extents are height and width of a shape with one or two spatial axes.
func extents(shape []int) (h, w int) {
	if len(shape) == 3 {
		return 1, shape[2]
	}
	return shape[2], shape[3]
}

// convShape is the kernel's description of a convolution node.
func (b *builder) convShape(n *ir.Node) (s kernel.ConvShape, ok bool) {
	x, w := b.val(n.In[0]).shape, b.val(n.In[1]).shape
	if len(x) < 3 || len(x) > 4 || len(w) != len(x) || w[1]*n.Int("group", 1) != x[1] {
		return s, false
	}
	win, ok := slideOf(n, x[2:], w[2:])
	if !ok {
		return s, false
	}
	if v := b.val(n.In[0]); v.unpadded != nil {
		k := len(v.pads) / 2
		for i := range k {
			win.before[2-k+i] += v.pads[i]
			win.after[2-k+i] += v.pads[k+i]
		}
		x = b.val(v.unpadded).shape
	}
	h, wide := extents(x)
	return kernel.ConvShape{N: x[0], H: h, W: wide, C: x[1], KH: win.kernel[0], KW: win.kernel[1],
		StrideH: win.stride[0], StrideW: win.stride[1], DilH: win.dil[0], DilW: win.dil[1],
		PadT: win.before[0], PadL: win.before[1], PadB: win.after[0], PadR: win.after[1],
		Groups: n.Int("group", 1), O: w[0]}, true
}

// convolves reports whether a row lowers the node: a convolution with constant
// weights of a shape that the kernels know.
func (b *builder) convolves(n *ir.Node) bool {
	if !b.constantFilter(n) {
		return false
	}
	s, ok := b.convShape(n)
	if ok {
		_, err := kernel.NewConv(s)
		ok = err == nil
	}
	return ok
}

func lowerConv(b *builder, n *ir.Node) bool {
	if !b.convolves(n) {
		return false
	}
	s, _ := b.convShape(n)
	x := n.In[0]
	if p := b.val(x).unpadded; p != nil {
		x = p
	}
	t := b.cst(n.In[1])
	w := rawFilter{t: t, w: func() []float32 { return tensor.Float32s(t) }}
	if g := b.val(x).gated; g != nil {
		return b.convolution(n, s, w, b.last(g.x), b.plain(g.gate))
	}
	return b.convolution(n, s, w, b.last(x), place{})
}

// rawFilter is the constant that the weights w, in OIHW order, are made from, in which
// form, and what their slices share where that is known.
type rawFilter struct {
	t      *tensor.Tensor
	form   string // "" for the constant itself
	w      func() []float32
	shared *kernel.SplitFilters
}

// convolution emits a convolution with what follows it; gate, where it is one, holds
// a number for every image and channel that the source is multiplied by.
func (b *builder) convolution(n *ir.Node, s kernel.ConvShape, raw rawFilter, src, gate place) bool {
	t := raw.t
	fold := b.foldChannels(n.Out[0], s.O)
	w := fold.apply(b, t, raw.w, s.O, b.biasOf(n))
	end := b.tail(fold.v, true)
	act, acts := b.activationBehind(end.v)
	if acts {
		b.absorb(act.nodes...)
		end.v = act.v
	}
	dst := b.newLast(end.v)
	s.SrcStride, s.DstStride = src.stride, dst.stride
	st := &step{node: n, flops: int64(s.Flops()), reads: []*buf{src.b}, writes: []*buf{dst.b}}
	if end.res.b != nil {
		s.ResStride = end.res.stride
		st.reads = append(st.reads, end.res.b)
		if end.res.dense(s.O) && dst.dense(s.O) {
			st.reuse = reuse(end.res, dst.b.floats)
		}
	}
	st.bytes = 4 * int64(src.b.floats+dst.b.floats+t.Len())
	ep := kernel.Epilogue{Bias: w.bias, Lo: end.lo, Hi: end.hi}
	if acts {
		ep.Act, st.kernel = act.op.Run, " "+act.op.String()
	}
	if gate.b != nil {
		b.gatedConvolve(st, s, w, ep, src, gate, dst, end.res)
	} else if s.Groups == s.C && s.O == s.C {
		b.depthwise(st, s, w, ep, src, dst, end.res)
	} else if f := b.sharedBy(s, raw); f != nil {
		b.split(st, s, f, w, ep, src, dst, end.res)
	} else if m := kernel.WinogradTile(s); m > 0 && !b.p.o.Direct {
		b.winograd(st, s, m, w, ep, src, dst, end.res)
	} else {
		b.convolve(st, s, w, ep, src, dst, end.res)
	}
	return true
}

func (b *builder) convWeights(s kernel.ConvShape, w *filter) *form[*kernel.ConvWeights] {
	return later(b, w.key("conv"), func() (*kernel.ConvWeights, error) { return kernel.PackConv(s, w.weights()) })
}

func (b *builder) convolve(st *step, s kernel.ConvShape, w *filter, ep kernel.Epilogue, src, dst, res place) {
	weights := b.convWeights(s, w)
	c, err := kernel.NewConv(s)
	if err != nil {
		panic(err)
	}
	st.kernel = fmt.Sprintf("conv %dx%d", s.KH, s.KW) + st.kernel
	st.tasks, st.scratch = c.Tasks(), c.ScratchFloats()
	st.task = func(f *frame, task int, scratch []float32) {
		e := ep
		e.Residual = f.maybe(res)
		c.Run(task, f.at(dst), f.at(src), weights.x, &e, scratch)
	}
	b.emit(st)
}

func (b *builder) depthwise(st *step, s kernel.ConvShape, w *filter, ep kernel.Epilogue, src, dst, res place) {
	weights := later(b, w.key("depthwise"), func() ([]float32, error) { return kernel.PackDepthwise(s, w.weights()) })
	d, err := kernel.NewDepthwise(s)
	if err != nil {
		panic(err)
	}
	st.kernel = fmt.Sprintf("depthwise %dx%d", s.KH, s.KW) + st.kernel
	st.tasks = d.Tasks()
	st.task = func(f *frame, task int, _ []float32) {
		e := ep
		e.Residual = f.maybe(res)
		d.Run(task, f.at(dst), f.at(src), weights.x, &e)
	}
	b.emit(st)
}
