package engine

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// qlinear is an operator that computes on codes by itself. The same computation
// with the codes decoded and encoded around a float operator is what the other
// rows and forms know.
type qlinear struct {
	domain, op string
	plain      string // the float operator
	operands   []int  // where codes, scale and zero point of its operands begin; nil: from 2 on
	result     int    // where scale and zero point of the result begin
	axis       int    // of the scales of the second operand
	bias       int    // operand index, 0 for none: int32 on the grid of the product
	// only says what attributes must be, which the float operator does not have.
	only map[string]int
	when func(n *ir.Node) bool // nil: always
}

const microsoft = "com.microsoft"

var qlinears = []qlinear{
	{op: "QLinearConv", plain: "Conv", operands: []int{0, 3}, result: 6, axis: 0, bias: 8},
	{op: "QLinearMatMul", plain: "MatMul", operands: []int{0, 3}, result: 6, axis: 1},
	{domain: microsoft, op: "QLinearAdd", plain: "Add", operands: []int{0, 3}, result: 6},
	{domain: microsoft, op: "QLinearMul", plain: "Mul", operands: []int{0, 3}, result: 6},
	{domain: microsoft, op: "QLinearSigmoid", plain: "Sigmoid", operands: []int{0}, result: 3},
	{domain: microsoft, op: "QLinearLeakyRelu", plain: "LeakyRelu", operands: []int{0}, result: 3},
	{domain: microsoft, op: "QLinearSoftmax", plain: "Softmax", operands: []int{0}, result: 3, only: map[string]int{"opset": 13}},
	{domain: microsoft, op: "QLinearAveragePool", plain: "AveragePool", operands: []int{0}, result: 3, only: map[string]int{"channels_last": 0}},
	{domain: microsoft, op: "QLinearGlobalAveragePool", plain: "GlobalAveragePool", operands: []int{0}, result: 3, only: map[string]int{"channels_last": 0}},
	{domain: microsoft, op: "QLinearConcat", plain: "Concat"},
	{domain: microsoft, op: "QGemm", plain: "Gemm", operands: []int{0, 3}, result: 7, axis: 1, bias: 6,
		when: func(n *ir.Node) bool { return n.Float("alpha", 1) == 1 && n.Int("transB", 0) == 0 }},
	{domain: microsoft, op: "QGemm", plain: "Gemm", operands: []int{0, 3}, result: 7, axis: 0, bias: 6,
		when: func(n *ir.Node) bool { return n.Float("alpha", 1) == 1 && n.Int("transB", 0) != 0 }},
}

// expandQLinear replaces operators on codes whose grids are constant. It needs
// the operator set that rows are written for.
func expandQLinear(m *ir.Model) error {
	if m.Opset("") < 13 {
		return nil
	}
	for _, n := range slices.Clone(m.Graph.Nodes) {
		for _, q := range qlinears {
			if n.Op != q.op || ir.CanonicalDomain(n.Domain) != q.domain || !q.knows(n) {
				continue
			}
			p := ir.NewPatch(m.Graph, "expand operators on codes")
			q.expand(p, n)
			if err := p.Apply(); err != nil {
				return err
			}
			break
		}
	}
	return carryCodes(m)
}

// knows reports whether all grids are constants, given for whole tensors but for
// constant second operands.
func (q *qlinear) knows(n *ir.Node) bool {
	if len(n.In) < q.result+2 || len(n.Out) != 1 || q.when != nil && !q.when(n) {
		return false
	}
	for name, value := range q.only {
		if n.Int(name, value) != value {
			return false
		}
	}
	for _, at := range append(q.places(n), q.result-1) {
		if at+2 >= len(n.In) {
			return false
		}
		scale, zero := n.In[at+1], n.In[at+2]
		if scale == nil || zero == nil || scale.Const == nil || zero.Const == nil || scale.Const.Type != tensor.Float32 {
			return false
		}
		rows := at > 0 && at < q.result-1 && n.In[at].Const != nil && n.In[at].Const.Rank() > q.axis
		if k := scale.Const.Len(); k != zero.Const.Len() || k != 1 && !(rows && k == n.In[at].Const.Shape[q.axis]) {
			return false
		}
	}
	return q.bias == 0 || len(n.In) <= q.bias || n.In[q.bias] == nil || n.In[q.bias].Const != nil
}

// places are where operands begin.
func (q *qlinear) places(n *ir.Node) []int {
	if q.operands != nil {
		return slices.Clone(q.operands)
	}
	var all []int
	for at := 2; at < len(n.In); at += 3 {
		all = append(all, at)
	}
	return all
}

func (q *qlinear) expand(p *ir.Patch, n *ir.Node) {
	var in []*ir.Value
	for _, at := range q.places(n) {
		in = append(in, q.decoded(p, n, at))
	}
	if q.bias > 0 && len(n.In) > q.bias && n.In[q.bias] != nil {
		in = append(in, p.Const(n.In[q.bias].Name+"_decoded", q.decodedBias(n)))
	}
	attrs := slices.DeleteFunc(slices.Clone(n.Attrs), func(a ir.Attr) bool { _, drop := q.only[a.Name]; return drop })
	y := p.Node(n.Out[0].Name+"_real", q.plain, in, attrs...)
	grid := q.grid(p, n, q.result-1)
	out := p.Node(n.Out[0].Name+"_codes", "QuantizeLinear", append([]*ir.Value{y}, grid...))
	p.Replace(n.Out[0], out)
	p.RemoveNode(n)
}

// decoded is what the operand at a place stands for. Readers of one operand share
// it, so that functions of it are seen as such.
func (q *qlinear) decoded(p *ir.Patch, n *ir.Node, at int) *ir.Value {
	for _, u := range n.In[at].Uses() {
		d := u.Node
		if u.In == 0 && is(d, "DequantizeLinear") && len(d.In) == 3 && sameNumber(d.In[1], n.In[at+1]) && sameNumber(d.In[2], n.In[at+2]) {
			return d.Out[0]
		}
	}
	var attrs []ir.Attr
	if n.In[at+1].Const.Len() > 1 {
		attrs = []ir.Attr{{Name: "axis", Value: int64(q.axis)}}
	}
	return p.Node(n.In[at].Name+"_decoded", "DequantizeLinear", append([]*ir.Value{n.In[at]}, q.grid(p, n, at)...), attrs...)
}

// sameNumber reports whether both are constants of one element, the same.
func sameNumber(v, w *ir.Value) bool {
	return v != nil && w != nil && v.Const != nil && w.Const != nil && v.Const.Len() == 1 && w.Const.Len() == 1 &&
		tensor.Equal(v.Const.Reshape(), w.Const.Reshape())
}

// grid returns scale and zero point behind operand at, as scalars where they are
// single numbers.
func (q *qlinear) grid(p *ir.Patch, n *ir.Node, at int) []*ir.Value {
	grid := []*ir.Value{n.In[at+1], n.In[at+2]}
	for i, v := range grid {
		if v.Const.Len() == 1 && v.Const.Rank() > 0 {
			grid[i] = p.Const(v.Name+"_scalar", v.Const.Reshape())
		} else if v.Const.Rank() > 1 {
			grid[i] = p.Const(v.Name+"_list", v.Const.Reshape(v.Const.Len()))
		}
	}
	return grid
}

// decodedBias is the bias as float32.
func (q *qlinear) decodedBias(n *ir.Node) *tensor.Tensor {
	x, w := tensor.Float64s(n.In[1].Const)[0], tensor.Float64s(n.In[4].Const)
	b := tensor.Float64s(n.In[q.bias].Const)
	out := make([]float32, len(b))
	for i := range out {
		out[i] = float32(b[i] * x * w[min(i, len(w)-1)])
	}
	return tensor.Of(n.In[q.bias].Const.Shape, out)
}
