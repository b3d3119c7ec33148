package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"pare/demo"
	"pare/ir"
	"pare/tensor"
)

const (
	opset   = 13 // that of most networks in use
	epsilon = 1e-5
)

// builder grows a graph node by node and numbers what has no name. Convolutions know
// how many channels they compute, for what stands behind them.
type builder struct {
	graph *ir.Graph
	count map[string]int
	r     *rand.Rand // of weights
	wide  int        // channels of the last convolution
}

// model is the network with a result.
func (b *builder) model(y *ir.Value) *ir.Model {
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

// filled is a constant vector of equal numbers.
func (b *builder) filled(name string, n int, x float32) *ir.Value {
	t := tensor.New(tensor.Float32, n)
	for i := range n {
		tensor.Data[float32](t)[i] = x
	}
	return b.constant(name, t)
}

// drawn is a constant of normal numbers whose products with fan operands keep gain
// times their variance.
func (b *builder) drawn(name string, gain float64, fan int, shape ...int) *ir.Value {
	t := tensor.New(tensor.Float32, shape...)
	for i := range tensor.Data[float32](t) {
		tensor.Data[float32](t)[i] = float32(b.r.NormFloat64() * math.Sqrt(gain/float64(fan)))
	}
	return b.constant(name, t)
}

func (b *builder) conv(x *ir.Value, in, out, kernel, stride int) *ir.Value {
	return b.convolution(x, in, out, kernel, stride, 1)
}

func (b *builder) depthwise(x *ir.Value, c, kernel, stride int) *ir.Value {
	return b.convolution(x, 1, c, kernel, stride, c)
}

// convolution reads in channels for each of out.
func (b *builder) convolution(x *ir.Value, in, out, kernel, stride, groups int) *ir.Value {
	name, pad := b.next("Conv"), kernel/2
	b.wide = out
	attrs := []ir.Attr{
		ir.IntsAttr("kernel_shape", kernel, kernel),
		ir.IntsAttr("strides", stride, stride),
		ir.IntsAttr("pads", pad, pad, pad, pad),
		{Name: "group", Value: int64(groups)},
	}
	return b.named(name, "Conv", attrs, x, b.drawn(name+".weight", 2, in*kernel*kernel, out, in, kernel, kernel))
}

// norm is a batch-norm behind a convolution.
func (b *builder) norm(x *ir.Value) *ir.Value {
	name := b.next("BatchNormalization")
	return b.named(name, "BatchNormalization", []ir.Attr{{Name: "epsilon", Value: float32(epsilon)}}, x,
		b.filled(name+".scale", b.wide, 1), b.filled(name+".shift", b.wide, 0),
		b.filled(name+".mean", b.wide, 0), b.filled(name+".variance", b.wide, 1))
}

func (b *builder) relu(x *ir.Value) *ir.Value   { return b.node("Relu", nil, x) }
func (b *builder) add(x, y *ir.Value) *ir.Value { return b.node("Add", nil, x, y) }

func (b *builder) relu6(x *ir.Value) *ir.Value {
	return b.node("Clip", nil, x, b.scalar("zero", 0), b.scalar("six", 6))
}

func (b *builder) dense(x *ir.Value, in, out int) *ir.Value {
	name := b.next("Gemm")
	return b.named(name, "Gemm", []ir.Attr{{Name: "transB", Value: int64(1)}}, x,
		b.drawn(name+".weight", 1, in, out, in), b.filled(name+".bias", out, 0))
}
