package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// gated stands for the product of x with one number for every image and channel,
// which the only convolution that reads it computes on the way.
type gated struct {
	x, gate *ir.Value
}

func lowerMul(b *builder, n *ir.Node) bool {
	return b.gateInto(n) || binary(kernel.Mul)(b, n)
}

// gateInto leaves a product to the 1x1 convolution behind it.
func (b *builder) gateInto(n *ir.Node) bool {
	if len(n.In) != 2 || !b.real(n.In[0], n.In[1], n.Out[0]) {
		return false
	}
	y := n.Out[0]
	conv := b.only(y)
	if !is(conv, "Conv") || conv.In[0] != y || !b.convolves(conv) {
		return false
	}
	s, _ := b.convShape(conv)
	if _, err := kernel.NewGatedConv(s); err != nil || s.Groups > 1 || s.C == 1 {
		return false
	}
	shape := b.val(y).shape
	for i, x := range n.In {
		g := n.In[1-i]
		if slices.Equal(b.val(x).shape, shape) && b.isLast(x) && slices.Equal(b.val(g).shape, gateShape(shape)) && tensor.Len(shape[2:]) > 1 {
			b.val(y).gated = &gated{x, g}
			return true
		}
	}
	return false
}

// gateShape is one number for every image and channel of a shape.
func gateShape(shape []int) []int {
	return append(slices.Clone(shape[:2]), ones(len(shape)-2)...)
}

func (b *builder) gatedConvolve(st *step, s kernel.ConvShape, w *filter, ep kernel.Epilogue, src, gate, dst, res place) {
	weights := b.convWeights(s, w)
	c, err := kernel.NewGatedConv(s)
	if err != nil {
		panic(err)
	}
	st.kernel = "gated conv 1x1" + st.kernel
	st.reads = append(st.reads, gate.b)
	st.tasks, st.scratch = c.Tasks(), c.ScratchFloats()
	st.task = func(f *frame, task int, scratch []float32) {
		e := ep
		e.Residual = f.maybe(res)
		c.RunGated(task, f.at(dst), f.at(src), f.at(gate), weights.x, &e, scratch)
	}
	b.emit(st)
}
