package engine

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/kernel"
)

// poolRows are poolings over one or two spatial axes.
var poolRows = []row{
	{op: "MaxPool", lower: lowerMaxPool},
	{op: "AveragePool", since: 7, lower: lowerAveragePool},
	{op: "GlobalAveragePool", lower: global(meanOf)},
	{op: "GlobalMaxPool", lower: global(maxOf)},
}

// poolShape is the kernel's description of a pooling node; ok is false where it
// would not give the shape that the operator says.
func (b *builder) poolShape(n *ir.Node) (s kernel.PoolShape, ok bool) {
	x, y := b.val(n.In[0]).shape, b.val(n.Out[0]).shape
	if len(x) < 3 || len(x) > 4 || !b.real(n.In[0], n.Out[0]) {
		return s, false
	}
	win, ok := slideOf(n, x[2:], n.Ints("kernel_shape"))
	if !ok {
		return s, false
	}
	h, w := extents(x)
	s = kernel.PoolShape{N: x[0], H: h, W: w, C: x[1], KH: win.kernel[0], KW: win.kernel[1],
		StrideH: win.stride[0], StrideW: win.stride[1], DilH: win.dil[0], DilW: win.dil[1],
		PadT: win.before[0], PadL: win.before[1], PadB: win.after[0], PadR: win.after[1],
		Ceil: n.Int("ceil_mode", 0) != 0, IncludePad: n.Int("count_include_pad", 0) != 0}
	oh, ow := extents(y)
	// Windows wholly in the padding are an error that the reference reports.
	for i := range 2 {
		if win.before[i] >= win.kernel[i] || win.after[i] >= win.kernel[i] {
			return s, false
		}
	}
	return s, s.OH() == oh && s.OW() == ow
}

func lowerMaxPool(b *builder, n *ir.Node) bool {
	s, ok := b.poolShape(n)
	if !ok || len(n.Out) > 1 && n.Out[1] != nil {
		return false
	}
	src, dst := b.last(n.In[0]), b.newLast(n.Out[0])
	s.SrcStride, s.DstStride = src.stride, dst.stride
	p, err := kernel.NewMaxPool(s)
	if err != nil {
		panic(err)
	}
	b.emit(&step{node: n, kernel: fmt.Sprintf("maxpool %dx%d", s.KH, s.KW), tasks: p.Tasks(), reads: []*buf{src.b}, writes: []*buf{dst.b},
		task: func(f *frame, task int, _ []float32) { p.Run(task, f.at(dst), f.at(src)) }})
	return true
}

func lowerAveragePool(b *builder, n *ir.Node) bool {
	s, ok := b.poolShape(n)
	if !ok {
		return false
	}
	src, dst := b.last(n.In[0]), b.newLast(n.Out[0])
	s.SrcStride, s.DstStride = src.stride, dst.stride
	p, err := kernel.NewAvgPool(s)
	if err != nil {
		panic(err)
	}
	b.emit(&step{node: n, kernel: fmt.Sprintf("avgpool %dx%d", s.KH, s.KW), tasks: p.Tasks(), reads: []*buf{src.b}, writes: []*buf{dst.b},
		task: func(f *frame, task int, _ []float32) { p.Run(task, f.at(dst), f.at(src)) }})
	return true
}

// global reduces all spatial axes.
func global(r reduction) func(*builder, *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		rank := len(b.val(n.In[0]).shape)
		if rank < 3 || !b.real(n.In[0], n.Out[0]) {
			return false
		}
		axes := make([]int, rank-2)
		for i := range axes {
			axes[i] = i + 2
		}
		return b.reduce(n, r, axes)
	}
}

// reduceRows are reductions along neighbouring axes.
var reduceRows = []row{
	{op: "ReduceMean", since: 13, lower: reducing(meanOf, 18)},
	{op: "ReduceSum", since: 13, lower: reducing(sumOf, 13)},
	{op: "ReduceMax", since: 13, lower: reducing(maxOf, 18)},
}

// reducing lowers a reduction whose axes are an operand from the given version
// on.
func reducing(r reduction, inputAxes int) func(*builder, *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		axes, given := n.Ints("axes"), n.Has("axes")
		if b.m.Opset("") >= inputAxes {
			axes, given = nil, len(n.In) > 1 && n.In[1] != nil
			if given {
				var ok bool
				if axes, ok = b.ints(n.In[1]); !ok {
					return false
				}
			}
		}
		rank := len(b.val(n.In[0]).shape)
		if !b.real(n.In[0], n.Out[0]) || rank == 0 {
			return false
		}
		if len(axes) == 0 {
			if n.Int("noop_with_empty_axes", 0) != 0 {
				return false
			}
			for i := range rank {
				axes = append(axes, i)
			}
		}
		axes = slices.Clone(axes)
		for i := range axes {
			var ok bool
			if axes[i], ok = axisOf(axes[i], rank); !ok {
				return false
			}
		}
		slices.Sort(axes)
		return b.reduce(n, r, axes)
	}
}
