package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// quantizeRows round values to a grid.
var quantizeRows = []row{
	{op: "QuantizeLinear", since: 10, lower: lowerQuantize},
	{op: "DequantizeLinear", since: 10, lower: lowerDequantize},
	{op: "DynamicQuantizeLinear", since: 11, lower: lowerDynamic},
	{op: "DynamicQuantizeMatMul", domain: microsoft, lower: lowerDynamicMatMul},
}

// lowerQuantize computes a pair of QuantizeLinear and DequantizeLinear of the
// same grid, in one pass. Several nodes may dequantise the same value.
func lowerQuantize(b *builder, n *ir.Node) bool {
	x := n.In[0]
	if b.val(x).t != tensor.Float32 || n.Int("precision", 0) != 0 || n.Int("block_size", 0) != 0 {
		return false
	}
	if b.encode(n) {
		return true
	}
	b.realise(x)
	shape := b.val(x).shape
	scales, axis, ok := b.grid(n, shape)
	if !ok {
		return false
	}
	back := b.decoders(n)
	if back == nil {
		return false
	}
	last := b.isLast(x)
	if scales.Channels() > 1 && !(axis == 1 && last) && axis != len(shape)-1 {
		return false
	}
	if scales.Channels() > 1 && axis == len(shape)-1 && axis != 1 {
		b.plain(x) // channels lie last as they are
	}
	b.absorb(back...)
	y := back[0].Out[0]
	b.fakeQuantize(n, x, y, scales)
	for _, d := range back[1:] {
		v, w := b.val(d.Out[0]), b.val(y)
		v.plain, v.last = w.plain, w.last
	}
	return true
}

// decoders are the nodes that undo a QuantizeLinear, if nothing else reads it.
func (b *builder) decoders(n *ir.Node) []*ir.Node {
	if b.m.Graph.IsOutput(n.Out[0]) || b.val(n.In[0]).t != tensor.Float32 {
		return nil
	}
	var back []*ir.Node
	for _, u := range n.Out[0].Uses() {
		d := u.Node
		if u.In != 0 || !is(d, "DequantizeLinear") || !b.sameGrid(n, d) || b.val(d.Out[0]).t != tensor.Float32 {
			return nil
		}
		if b.alive[d] {
			back = append(back, d)
		}
	}
	return back
}

func (b *builder) fakeQuantize(n *ir.Node, x, y *ir.Value, s *kernel.Scales) {
	if s.Channels() == 1 {
		b.unary(n, "fake quantize", x, y, func(dst, src []float32) { kernel.FakeQuantize(dst, src, s) })
		return
	}
	b.eachRow(n, "fake quantize", x, y, s.Channels(), b.isLast(x), func(_ *frame, d, src []float32) { kernel.FakeQuantize(d, src, s) })
}

// grid reads constant scales and zero points of one grid for the tensor or one
// per index of an axis.
func (b *builder) grid(n *ir.Node, shape []int) (s *kernel.Scales, axis int, ok bool) {
	scale := b.cst(n.In[1])
	if scale == nil || scale.Type != tensor.Float32 {
		return nil, 0, false
	}
	t := tensor.DType(n.Int("output_dtype", int(tensor.Uint8)))
	zeros := make([]float64, scale.Len())
	if len(n.In) > 2 && n.In[2] != nil {
		z := b.cst(n.In[2])
		if z == nil || z.Len() != scale.Len() {
			return nil, 0, false
		}
		t, zeros = z.Type, tensor.Float64s(z)
	}
	if !t.IsInt() || t.Bits() > 8 {
		return nil, 0, false
	}
	axis, ok = axisOf(n.Int("axis", 1), len(shape))
	if scale.Len() > 1 && (!ok || scale.Rank() != 1 || scale.Len() != shape[axis]) {
		return nil, 0, false
	}
	lo, hi := int32(0), int32(1)<<t.Bits()-1
	if !t.IsUnsigned() {
		lo, hi = -(hi+1)/2, hi/2
	}
	var list []kernel.Scale
	for i, step := range tensor.Data[float32](scale) {
		list = append(list, kernel.Scale{Step: step, Zero: int32(zeros[i]), Lo: lo, Hi: hi})
	}
	return kernel.NewScales(list), axis, true
}

// sameGrid reports whether a DequantizeLinear undoes a QuantizeLinear.
func (b *builder) sameGrid(q, d *ir.Node) bool {
	if len(q.In) != len(d.In) || q.Int("axis", 1) != d.Int("axis", 1) || d.Int("block_size", 0) != 0 || len(d.Out) != 1 {
		return false
	}
	for i := 1; i < len(q.In); i++ {
		if q.In[i] != d.In[i] && !(q.In[i] != nil && d.In[i] != nil && b.cst(q.In[i]) != nil && tensor.Equal(b.cst(q.In[i]), b.cst(d.In[i]))) {
			return false
		}
	}
	return true
}
