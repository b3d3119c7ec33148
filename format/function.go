package format

import (
	"pare/ir"
	"pare/tensor"
)

// intAttr is ONNX's number for attributes that are integers.
const intAttr = 2

// body builds the graph of a function.
type body struct{ g *ir.Graph }

func bodyOf(name string, inputs ...string) body {
	b := body{&ir.Graph{Name: name}}
	for _, in := range inputs {
		b.g.Inputs = append(b.g.Inputs, &ir.Value{Name: in})
	}
	return b
}

// in is the formal parameter of the given name.
func (b body) in(name string) *ir.Value {
	for _, v := range b.g.Inputs {
		if v.Name == name {
			return v
		}
	}
	return nil
}

func (b body) node(op, name string, attrs []ir.Attr, in ...*ir.Value) *ir.Value {
	out := &ir.Value{Name: name}
	b.g.Nodes = append(b.g.Nodes, &ir.Node{Name: name, Op: op, In: in, Out: []*ir.Value{out}, Attrs: attrs})
	return out
}

// one is the scale 1: DequantizeLinear with it turns codes into numbers, and
// reads packed ones in more runtimes than Cast does.
func (b body) one() *ir.Value {
	return b.node("Constant", "one", []ir.Attr{{Name: "value", Value: tensor.Scalar(float32(1))}})
}

func (b body) finish(sets []ir.Opset, attrs []string, y *ir.Value, doc string) *ir.Function {
	b.g.Outputs = []*ir.Value{y}
	b.g.Bind()
	return &ir.Function{Name: b.g.Name, Domain: Domain, Opsets: sets, Body: b.g, Attrs: attrs, Doc: doc}
}

// ones is the shape of a number broadcast to a rank.
func ones(rank int) []int {
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = 1
	}
	return shape
}
