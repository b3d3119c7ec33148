package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// qonnxRows are the simulated quantisation of Brevitas and QONNX.
var qonnxRows = []row{
	{op: "Quant", domain: "onnx.brevitas", lower: lowerQuant},
	{op: "Quant", domain: "qonnx.custom_op.general", lower: lowerQuant},
}

// lowerQuant knows one constant scale, no zero point, and rounding to even.
func lowerQuant(b *builder, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	step, ok := b.scalar(n.In[1])
	zero, ok2 := b.scalar(n.In[2])
	bits, ok3 := b.scalar(n.In[3])
	if !ok || !ok2 || !ok3 || !(step > 0) || zero != 0 || bits != float32(int(bits)) || bits < 1 || bits > 16 ||
		b.val(x).t != tensor.Float32 || tensor.Len(b.val(x).shape) != tensor.Len(b.val(y).shape) {
		return false
	}
	if mode := n.Str("rounding_mode", "ROUND"); mode != "ROUND" && mode != "HALF_EVEN" || len(b.val(x).shape) != len(b.val(y).shape) {
		return false
	}
	narrow, full := int32(n.Int("narrow", 0)), int32(1)<<int(bits)
	s := kernel.Scale{Step: step, Hi: full - 1 - narrow}
	if n.Int("signed", 1) != 0 {
		s.Lo, s.Hi = -full/2+narrow, full/2-1
	}
	b.fakeQuantize(n, x, y, kernel.NewScales([]kernel.Scale{s}))
	return true
}
