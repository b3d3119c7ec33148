package quant

import (
	"math"

	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// bias stores the bias of a layer as 32-bit integers in units of the layer's
// accumulator, scale of the input times scale of the weights. ONNX Runtime makes
// an integer kernel of a Gemm only with such a bias (of a convolution it
// rewrites a float one itself, in newer versions), OpenVINO takes both, and an
// integer kernel starts its sums from it. It costs no accuracy: the unit is that
// of the sums, far finer than any activation's. TensorRT wants bias=float.
type bias struct {
	operand int       // of the node
	values  []float32 // per output channel
	input   float32   // scale of the input
}

// biasLimit bounds the codes of biases: half of what 32 bits hold, so that the
// other half is left for the sums.
const biasLimit = 1 << 30

// newBias describes the bias of a layer whose input has the given scale, nil
// with a reason where it has no integer form, nil without one where there is no
// bias.
func newBias(l *compress.Layer, s format.Spec, input float32) (*bias, string) {
	const at = 2
	n := l.Node
	if n.Op == "MatMul" || len(n.In) <= at || n.In[at] == nil {
		return nil, ""
	}
	c := n.In[at].Const
	switch {
	case c == nil || c.Type != tensor.Float32:
		return nil, "its bias is no constant of 32 bits"
	case s.Grain == format.PerBlock:
		return nil, "weights in blocks have no integer sums"
	case n.Float("alpha", 1) != 1 || n.Float("beta", 1) != 1 || l.Operand != 1:
		return nil, "its bias is scaled or its weights come first"
	case l.Kind == compress.ConvTranspose && n.Int("group", 1) != 1:
		return nil, "groups of a transposed convolution share scales"
	}
	if channels := l.Weight.Const.Shape[l.Out]; c.Len() != channels || c.Shape[c.Rank()-1] != channels {
		return nil, "its bias is not one number per channel"
	}
	return &bias{operand: at, values: tensor.Data[float32](c), input: input}, ""
}

// minScale is the least scale of each group of weights that keeps the bias
// within its limit. Channels whose weights have all but vanished (1e-17 and less
// occurs in trained networks) would otherwise overflow; their weights are far
// below the resolution of their bias, so the larger scale loses nothing.
func (b *bias) minScale(s format.Spec) []float32 {
	least := make([]float32, len(b.values))
	for c, v := range b.values {
		least[c] = float32(math.Abs(float64(v)) / (biasLimit * float64(b.input)))
	}
	if s.Grain == format.PerChannel {
		return least
	}
	top := float32(0)
	for _, v := range least {
		top = max(top, v)
	}
	return []float32{top}
}

// emit writes the bias in units of the encoded weights and makes the layer
// read it.
func (b *bias) emit(p *ir.Patch, g *ir.Graph, l *compress.Layer, e *format.Encoded) {
	old := l.Node.In[b.operand]
	codes, scales := make([]int32, len(b.values)), tensor.Float32s(e.Scale)
	units := make([]float32, len(scales))
	for i, s := range scales {
		units[i] = b.input * s
	}
	for c, v := range b.values {
		codes[c] = int32(math.RoundToEven(float64(v) / float64(units[min(c, len(units)-1)])))
	}
	in := []*ir.Value{
		p.Const(old.Name+"_codes", tensor.Of([]int{len(codes)}, codes)),
		p.Const(old.Name+"_scale", tensor.Of(e.Scale.Shape, units)),
	}
	var attrs []ir.Attr
	if e.Scale.Rank() > 0 {
		attrs = []ir.Attr{{Name: "axis", Value: int64(0)}}
	}
	out := p.Node(old.Name+"_decoded", "DequantizeLinear", in, attrs...)
	out.Type = ir.TensorType(tensor.Float32, ir.Known(len(codes)))
	p.SetInput(l.Node, b.operand, out)
	removeUnused(p, g, old, 1)
}
