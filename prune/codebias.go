package prune

import (
	"pare/ir"
	"pare/tensor"
)

// biasOperand is where convolutions and Gemm read their bias.
const biasOperand = 2

// biasOf reads the bias of a node that is decoded from a list of 32-bit integers,
// with one scale or one for each.
func biasOf(n *ir.Node) (t *tensor.Tensor, ok bool) {
	if len(n.In) <= biasOperand || n.In[biasOperand] == nil || n.Op == "MatMul" {
		return nil, false
	}
	d := n.In[biasOperand].Producer()
	if d == nil || d.Op != "DequantizeLinear" || ir.CanonicalDomain(d.Domain) != "" || len(d.In) != 2 {
		return nil, false
	}
	codes, scale := d.In[0].Const, d.In[1].Const
	if codes == nil || scale == nil || codes.Type != tensor.Int32 || codes.Rank() != 1 || scale.Type != tensor.Float32 || scale.Len() != 1 && scale.Len() != codes.Len() {
		return nil, false
	}
	s := tensor.Data[float32](scale)
	t = tensor.New(tensor.Float32, codes.Len())
	for i, q := range tensor.Data[int32](codes) {
		tensor.Data[float32](t)[i] = float32(q) * s[min(i, len(s)-1)]
	}
	return t, true
}

// emitBias decodes what is left of a bias.
func (c *coded) emitBias(p *ir.Patch) *ir.Value {
	d := c.decoded.Producer()
	codes, scale := d.In[0].Const, d.In[1].Const
	if scale.Rank() > 0 && scale.Len() == codes.Len() {
		scale = picked(scale, c.kept)
	}
	in := []*ir.Value{p.Const(c.name+"_bias_codes", picked(codes, c.kept)), p.Const(c.name+"_bias_scale", scale)}
	return p.Node(c.name+"_bias_decoded", "DequantizeLinear", in, d.Attrs...)
}
