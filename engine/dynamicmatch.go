package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// dynamicProduct is a product of codes on a grid that a run finds with constant
// weights of 8 bits, brought to real numbers.
type dynamicProduct struct {
	node  *ir.Node
	nodes []*ir.Node // to be absorbed besides
	v     *ir.Value  // the real result
	w     *tensor.Tensor
	zero  *tensor.Tensor // of the weights; nil: 0
	scale *tensor.Tensor // of the weights: one, or one per output channel; nil: 1
	bias  *ir.Value      // constant, nil for none
	conv  bool
	shape kernel.ConvShape
}

// weightScale follows the product of a sum of integers with the scale of the
// data, s, or with a product of s and a constant.
func (b *builder) weightScale(p *dynamicProduct, v, s *ir.Value) bool {
	cast := b.only(v)
	if !is(cast, "Cast") || cast.Int("to", 0) != int(tensor.Float32) {
		return false
	}
	mul := b.only(cast.Out[0])
	if !is(mul, "Mul") {
		return false
	}
	o := other(mul, cast.Out[0])
	p.nodes, p.v = append(p.nodes, cast, mul), mul.Out[0]
	if o == s {
		return true
	}
	if o == nil {
		return false
	}
	scale := o.Producer()
	if !is(scale, "Mul") || b.only(o) != mul {
		return false
	}
	p.nodes = append(p.nodes, scale)
	w := other(scale, s)
	if w == nil || b.cst(w) == nil || b.cst(w).Type != tensor.Float32 {
		return false
	}
	p.scale = b.cst(w)
	return true
}

// dynamicProductOf matches an integer product of the codes q.
func (b *builder) dynamicProductOf(n *ir.Node, q, s, z *ir.Value) *dynamicProduct {
	if len(n.Out) != 1 || b.done[n] || !b.alive[n] || !b.static(n) || len(n.In) < 3 || n.In[0] != q || b.cst(n.In[1]) == nil {
		return nil
	}
	p := &dynamicProduct{node: n, w: b.cst(n.In[1]), conv: n.Op == "ConvInteger"}
	if !is(n, "MatMulInteger") && !is(n, "ConvInteger") || n.In[2] != z || !b.weightScale(p, n.Out[0], s) {
		return nil
	}
	if len(n.In) > 3 && n.In[3] != nil {
		if p.zero = b.cst(n.In[3]); p.zero == nil {
			return nil
		}
	}
	if add := b.only(p.v); is(add, "Add") && b.val(add.Out[0]).t == tensor.Float32 && slices.Equal(b.val(add.Out[0]).shape, b.val(p.v).shape) {
		if o := other(add, p.v); o != nil && b.cst(o) != nil && b.real(o) && p.spreads(b, o) {
			p.bias, p.v, p.nodes = o, add.Out[0], append(p.nodes, add)
		}
	}
	return p
}

// spreads reports whether a constant has one number for each output channel, or
// one for all.
func (p *dynamicProduct) spreads(b *builder, o *ir.Value) bool {
	shape := b.val(p.v).shape
	if p.conv {
		_, ok := channelVector(b.cst(o), shape)
		return ok
	}
	return b.cst(o).Rank() <= len(shape) && columns(b.cst(o), shape)
}

// fits completes the shape of a product and reports whether integer kernels
// compute it.
func (p *dynamicProduct) fits(b *builder) bool {
	s, channels, ok := kernel.ConvShape{}, 0, true
	x, w := b.val(p.node.In[0]).shape, p.w.Shape
	if p.conv {
		if s, ok = b.convShape(p.node); !ok {
			return false
		}
		channels = s.C / max(1, s.Groups) * s.KH * s.KW
	} else {
		if len(w) != 2 || len(x) < 2 {
			return false
		}
		s = kernel.ConvShape{N: 1, H: tensor.Len(x) / w[0], W: 1, C: w[0], KH: 1, KW: 1, O: w[1]}
		channels = w[0]
	}
	p.shape = s
	if channels > maxIntSum || p.scale != nil && p.scale.Len() != 1 && p.scale.Len() != s.O {
		return false
	}
	if p.zero != nil && p.zero.Len() != 1 && p.zero.Len() != s.O {
		return false
	}
	_, err := kernel.NewConv(s)
	return err == nil && p.values() != nil
}

// values are the weights less their zero points, output channel by output
// channel; nil where they are not of 8 bits.
func (p *dynamicProduct) values() []int8 {
	if !p.w.Type.IsInt() || p.w.Type.Bits() > 8 {
		return nil
	}
	codes, o := tensor.Ints8(p.w), p.shape.O
	k := len(codes) / o
	out := make([]int8, len(codes))
	for i := range out {
		channel, at := i/k, i
		if !p.conv {
			at = i%k*o + channel
		}
		v := int(codes[at])
		if p.zero != nil {
			v -= int(tensor.Ints8(p.zero)[channel%p.zero.Len()])
		}
		if v < -128 || v > 127 {
			return nil
		}
		out[i] = int8(v)
	}
	return out
}
