package grad

import (
	"math"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// straightenQuants puts FakeQuantize in the place of the fake quantisers of Brevitas
// and QONNX whose operands other than the first are known, whose zero points are whole
// and which round halves to even.
func straightenQuants(g *ir.Graph) {
	for _, n := range g.Nodes {
		if n.Op != "Quant" || n.Domain != "onnx.brevitas" && n.Domain != "qonnx.custom_op.general" {
			continue
		}
		if mode := n.Str("rounding_mode", "ROUND"); mode != "ROUND" && mode != "HALF_EVEN" {
			continue
		}
		straightenQuant(g, n)
	}
}

func straightenQuant(g *ir.Graph, n *ir.Node) {
	bits, ok := scalar(n.In[3])
	scale, zero := n.In[1].Const, n.In[2].Const
	if !ok || bits < 2 || bits > 16 || scale == nil || zero == nil || zero.Len() != 1 && zero.Len() != scale.Len() {
		return
	}
	axis, found := 0, 0
	for i, d := range scale.Shape {
		if d != 1 {
			axis, found = i-len(scale.Shape), found+1
		}
	}
	if found > 1 {
		return
	}
	zeros := make([]float32, scale.Len())
	for i := range zeros {
		z := tensor.Float32s(zero)[min(i, zero.Len()-1)]
		if float64(z) != math.RoundToEven(float64(z)) {
			return
		}
		zeros[i] = z
	}
	narrow := n.Int("narrow", 0)
	lo, hi := -1<<(int(bits)-1)+narrow, 1<<(int(bits)-1)-1
	if n.Int("signed", 1) == 0 {
		lo, hi = 0, 1<<int(bits)-1-narrow
	}
	flat := func(name string, x []float32) *ir.Value {
		v := ir.NewConst(n.Out[0].Name+name, tensor.Of([]int{len(x)}, x))
		g.Consts = append(g.Consts, v)
		return v
	}
	n.In = []*ir.Value{n.In[0], flat("_scale", tensor.Float32s(scale)), flat("_zero", zeros)}
	n.Op, n.Domain = "FakeQuantize", op.TrainingDomain
	n.Attrs = []ir.Attr{{Name: "lo", Value: int64(lo)}, {Name: "hi", Value: int64(hi)}, {Name: "axis", Value: int64(axis)}}
}
