package main

import (
	"fmt"

	"pare/demo"
	"pare/ir"
	"pare/tensor"
)

// opset is that of most networks in use.
const opset = 13

// builder grows a graph node by node and numbers what has no name.
type builder struct {
	graph *ir.Graph
	count map[string]int
}

// export makes a model of a trained network.
func export(net sequence) *ir.Model {
	x := &ir.Value{Name: "input", Type: ir.TensorType(tensor.Float32, ir.Symbol("N"), ir.Known(3), ir.Known(demo.Side), ir.Known(demo.Side))}
	b := &builder{graph: &ir.Graph{Name: "demo", Inputs: []*ir.Value{x}}, count: map[string]int{}}
	y := net.emit(b, x)
	y.Name = "logits"
	y.Type = ir.TensorType(tensor.Float32, ir.Symbol("N"), ir.Known(len(demo.Classes)))
	b.graph.Outputs = []*ir.Value{y}
	b.graph.Bind()
	m := &ir.Model{Graph: b.graph, IRVersion: 8, Producer: "pare/demo/train"}
	m.SetOpset("", opset)
	m.SetMeta("pare.data", demo.Prepare)
	return m
}

// next is a name that is not taken yet: conv1, conv2, ...
func (b *builder) next(kind string) string {
	b.count[kind]++
	return fmt.Sprintf("%s%d", kind, b.count[kind])
}

// node adds a node named after its operator and returns its result.
func (b *builder) node(op string, attrs []ir.Attr, in ...*ir.Value) *ir.Value {
	return b.named(b.next(op), op, attrs, in...)
}

func (b *builder) named(name, op string, attrs []ir.Attr, in ...*ir.Value) *ir.Value {
	y := &ir.Value{Name: name + ".out"}
	b.graph.Nodes = append(b.graph.Nodes, &ir.Node{Name: name, Op: op, In: in, Out: []*ir.Value{y}, Attrs: attrs})
	return y
}

func (b *builder) constant(name string, t *tensor.Tensor) *ir.Value {
	v := ir.NewConst(name, t)
	b.graph.Consts = append(b.graph.Consts, v)
	return v
}

// scalar is the constant of a name, made where it is first asked for.
func (b *builder) scalar(name string, x float32) *ir.Value {
	if v := b.graph.Value(name); v != nil {
		return v
	}
	return b.constant(name, tensor.Of(nil, []float32{x}))
}

func (b *builder) conv(x *ir.Value, w *tensor.Tensor, kernel, stride, groups int) *ir.Value {
	name, pad := b.next("Conv"), kernel/2
	attrs := []ir.Attr{
		ir.IntsAttr("kernel_shape", kernel, kernel),
		ir.IntsAttr("strides", stride, stride),
		ir.IntsAttr("pads", pad, pad, pad, pad),
		{Name: "group", Value: int64(groups)},
	}
	return b.named(name, "Conv", attrs, x, b.constant(name+".weight", w))
}

func (b *builder) batchNorm(x *ir.Value, scale, shift, mean, variance *tensor.Tensor) *ir.Value {
	name := b.next("BatchNormalization")
	return b.named(name, "BatchNormalization", []ir.Attr{{Name: "epsilon", Value: float32(epsilon)}}, x,
		b.constant(name+".scale", scale), b.constant(name+".shift", shift),
		b.constant(name+".mean", mean), b.constant(name+".variance", variance))
}

func (b *builder) gemm(x *ir.Value, w, bias *tensor.Tensor) *ir.Value {
	name := b.next("Gemm")
	return b.named(name, "Gemm", []ir.Attr{{Name: "transB", Value: int64(1)}}, x,
		b.constant(name+".weight", w), b.constant(name+".bias", bias))
}
