package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// powerGridForm is a power grid as package format writes it: the step that a
// number lies in, its code, the level of the code.
func powerGridForm(b *builder, n *ir.Node) bool {
	x, f := n.In[0], &kernel.Lookup{}
	factor, ok := b.scalar(n.In[1])
	add := b.only(n.Out[0])
	if !ok || !is(add, "Add") || add.In[0] != n.Out[0] || b.val(x).t != tensor.Float32 {
		return false
	}
	offset, ok := b.scalar(add.In[1])
	clip := b.only(add.Out[0])
	if !ok || !is(clip, "Clip") {
		return false
	}
	first, last, ok := b.limits(clip)
	steps, table := b.indexed(clip.Out[0])
	if !ok || steps == nil || first != 0 || table.Rank() != 1 || int(last) != table.Len()-1 {
		return false
	}
	decode := b.only(steps[1].Out[0])
	if !is(decode, "DequantizeLinear") || table.Type != tensor.Uint8 || len(decode.In) > 2 || !b.number(decode.In[1], 1) {
		return false
	}
	codes, levels := b.indexed(decode.Out[0])
	if codes == nil || levels.Rank() != 1 || levels.Type != tensor.Float32 {
		return false
	}
	mul := b.only(codes[1].Out[0])
	if !is(mul, "Mul") || mul.In[0] != codes[1].Out[0] {
		return false
	}
	scale, ok := b.scalar(mul.In[1])
	if !ok {
		return false
	}
	for _, c := range tensor.Data[uint8](table) {
		if int(c) >= levels.Len() {
			return false
		}
		f.Values = append(f.Values, tensor.Data[float32](levels)[c]*scale)
	}
	f.Factor, f.Offset = factor, offset
	b.absorb(add, clip, steps[0], steps[1], decode, codes[0], codes[1], mul)
	b.unary(n, "fake quantize power", x, mul.Out[0], f.Run)
	return true
}

// indexed follows v to a Cast to integers and a Gather by them from a constant,
// and returns both nodes and the constant; nil where others follow.
func (b *builder) indexed(v *ir.Value) ([]*ir.Node, *tensor.Tensor) {
	cast := b.only(v)
	if !is(cast, "Cast") || cast.Int("to", 0) != int(tensor.Int32) {
		return nil, nil
	}
	gather := b.only(cast.Out[0])
	if !is(gather, "Gather") || gather.In[1] != cast.Out[0] || gather.Int("axis", 0) != 0 || b.cst(gather.In[0]) == nil {
		return nil, nil
	}
	return []*ir.Node{cast, gather}, b.cst(gather.In[0])
}
