package compresstest

import (
	"math/rand/v2"

	"pare/ir"
	"pare/tensor"
)

// Model is a small network and an input for it.
type Model struct {
	Name  string
	Build func() *ir.Model
	Input func() map[string]*tensor.Tensor
}

// Models are small networks that together hold every kind of layer.
var Models = []Model{
	{"convs", convs, func() map[string]*tensor.Tensor { return map[string]*tensor.Tensor{"x": random(9, 1, 2, 3, 12, 12)} }},
	{"tokens", tokens, func() map[string]*tensor.Tensor {
		return map[string]*tensor.Tensor{"ids": tensor.Of([]int{2, 5}, []int64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3})}
	}},
	{"odd", odd, func() map[string]*tensor.Tensor { return map[string]*tensor.Tensor{"x": random(9, 1, 1, 8, 6, 6)} }},
}

// random is a tensor of normal numbers with the given deviation.
func random(seed uint64, std float64, shape ...int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 3))
	t := tensor.New(tensor.Float32, shape...)
	x := tensor.Data[float32](t)
	for i := range x {
		x[i] = float32(std * r.NormFloat64())
	}
	return t
}

// positive is random, shifted to lie around 1.
func positive(seed uint64, n int) *tensor.Tensor {
	t := random(seed, 0.2, n)
	x := tensor.Data[float32](t)
	for i := range x {
		x[i] = max(0.3, 1+x[i])
	}
	return t
}

// builder makes a graph node by node.
type builder struct {
	g    *ir.Graph
	seed uint64
}

func (b *builder) input(name string, t tensor.DType, shape ...int) *ir.Value {
	v := &ir.Value{Name: name, Type: ir.TensorType(t, ir.Dims(shape)...), Declared: true}
	b.g.Inputs = append(b.g.Inputs, v)
	return v
}

func (b *builder) constant(name string, t *tensor.Tensor) *ir.Value {
	v := ir.NewConst(name, t)
	b.g.Consts = append(b.g.Consts, v)
	return v
}

// weight is a constant of normal numbers whose products keep their variance.
func (b *builder) weight(name string, fanIn int, shape ...int) *ir.Value {
	b.seed++
	return b.constant(name, random(b.seed, 1.4/sqrt(fanIn), shape...))
}

func (b *builder) node(name, op string, in []*ir.Value, attrs ...ir.Attr) *ir.Value {
	out := &ir.Value{Name: name}
	b.g.Nodes = append(b.g.Nodes, &ir.Node{Name: name, Op: op, In: in, Out: []*ir.Value{out}, Attrs: attrs})
	return out
}

func (b *builder) batchNorm(name string, x *ir.Value, n int) *ir.Value {
	b.seed += 4
	return b.node(name, "BatchNormalization", []*ir.Value{x,
		b.constant(name+".gamma", positive(b.seed, n)), b.constant(name+".beta", random(b.seed+1, 0.3, n)),
		b.constant(name+".mean", random(b.seed+2, 0.3, n)), b.constant(name+".var", positive(b.seed+3, n)),
	})
}

func (b *builder) finish(opset int, outputs ...*ir.Value) *ir.Model {
	b.g.Outputs = outputs
	b.g.Bind()
	return &ir.Model{Graph: b.g, Opsets: []ir.Opset{{Version: opset}}, IRVersion: 8, Producer: "compresstest"}
}

func sqrt(n int) float64 {
	x := 1.0
	for range 40 {
		x = (x + float64(n)/x) / 2
	}
	return x
}

func ints(name string, list ...int) ir.Attr { return ir.IntsAttr(name, list...) }

func one(name string, x int64) ir.Attr { return ir.Attr{Name: name, Value: x} }

// convs is a residual network with a depthwise block and batch-norms.
func convs() *ir.Model {
	b := &builder{g: &ir.Graph{Name: "convs"}}
	same := ints("pads", 1, 1, 1, 1)
	x := b.input("x", tensor.Float32, 2, 3, 12, 12)
	y := b.node("conv1", "Conv", []*ir.Value{x, b.weight("conv1.w", 27, 16, 3, 3, 3)}, same)
	y = b.node("relu1", "Relu", []*ir.Value{b.batchNorm("bn1", y, 16)})
	skip := y
	y = b.node("dw", "Conv", []*ir.Value{y, b.weight("dw.w", 9, 16, 1, 3, 3), b.constant("dw.b", random(77, .1, 16))}, same, one("group", 16))
	y = b.batchNorm("bn2", y, 16)
	y = b.node("clip", "Clip", []*ir.Value{y, b.constant("lo", tensor.Scalar(float32(0))), b.constant("hi", tensor.Scalar(float32(6)))})
	y = b.node("pw", "Conv", []*ir.Value{y, b.weight("pw.w", 16, 16, 16, 1, 1)})
	y = b.node("add", "Add", []*ir.Value{b.batchNorm("bn3", y, 16), skip})
	y = b.node("relu2", "Relu", []*ir.Value{y})
	y = b.node("down", "Conv", []*ir.Value{y, b.weight("down.w", 144, 32, 16, 3, 3)}, same, ints("strides", 2, 2))
	y = b.node("relu3", "Relu", []*ir.Value{b.batchNorm("bn4", y, 32)})
	y = b.node("gap", "GlobalAveragePool", []*ir.Value{y})
	y = b.node("flat", "Flatten", []*ir.Value{y})
	y = b.node("fc", "Gemm", []*ir.Value{y, b.weight("fc.w", 32, 10, 32), b.constant("fc.b", random(78, .1, 10))}, one("transB", 1))
	return b.finish(13, y)
}

// tokens is an embedding with dense layers, one in half precision and two that
// share their weights.
func tokens() *ir.Model {
	b := &builder{g: &ir.Graph{Name: "tokens"}}
	ids := b.input("ids", tensor.Int64, 2, 5)
	x := b.node("embed", "Gather", []*ir.Value{b.weight("embed.w", 2, 64, 48), ids})
	y := b.node("up", "MatMul", []*ir.Value{x, b.weight("up.w", 48, 48, 96)})
	y = b.node("act", "Relu", []*ir.Value{y})
	y = b.node("down", "MatMul", []*ir.Value{y, b.weight("down.w", 96, 96, 48)})
	x = b.node("add", "Add", []*ir.Value{x, y})
	tied := b.weight("tied.w", 48, 48, 48)
	y = b.node("tied1", "MatMul", []*ir.Value{x, tied})
	y = b.node("tied2", "MatMul", []*ir.Value{y, tied})
	half, err := tensor.Convert(random(55, .2, 48, 40), tensor.Float16, tensor.Options{})
	if err != nil {
		panic(err)
	}
	y = b.node("narrow", "Cast", []*ir.Value{y}, one("to", int64(tensor.Float16)))
	y = b.node("half", "MatMul", []*ir.Value{y, b.constant("half.w", half)})
	y = b.node("wide", "Cast", []*ir.Value{y}, one("to", int64(tensor.Float32)))
	return b.finish(13, y)
}

// odd holds the rarer layers: grouped and transposed convolution, dense layers
// with the weights first or transposed, a weight that is also an input, and
// layers that cannot be compressed.
func odd() *ir.Model {
	b := &builder{g: &ir.Graph{Name: "odd"}}
	x := b.input("x", tensor.Float32, 1, 8, 6, 6)
	w := b.weight("grouped.w", 18, 16, 2, 3, 3)
	b.g.Inputs = append(b.g.Inputs, w)
	y := b.node("grouped", "Conv", []*ir.Value{x, w}, one("group", 4))
	y = b.node("transposed", "ConvTranspose", []*ir.Value{y, b.weight("transposed.w", 16, 16, 12, 2, 2)}, ints("strides", 2, 2))
	y = b.node("leaky", "LeakyRelu", []*ir.Value{y})
	dynamic := b.node("dynamic.w", "Mul", []*ir.Value{b.weight("dynamic.c", 12, 12, 12, 1, 1), b.constant("two", tensor.Scalar(float32(2)))})
	y = b.node("dynamic", "Conv", []*ir.Value{y, dynamic})
	y = b.node("flat", "Reshape", []*ir.Value{y, b.constant("shape", tensor.Of([]int{2}, []int64{12, 64}))})
	y = b.node("left", "MatMul", []*ir.Value{b.weight("left.w", 12, 20, 12), y})
	y = b.node("table", "Add", []*ir.Value{y, b.weight("table.w", 20, 20, 64)})
	y = b.node("gemm", "Gemm", []*ir.Value{y, b.weight("gemm.w", 64, 64, 24)})
	y = b.node("tiny", "MatMul", []*ir.Value{y, b.weight("tiny.w", 24, 24, 1)})
	return b.finish(13, y)
}
