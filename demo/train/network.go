package main

import (
	"math/rand/v2"

	"pare/demo"
	"pare/ir"
	"pare/tensor"
)

// network has what compression meets in real networks: ordinary, depthwise and
// pointwise convolutions, strides, batch-norms behind all of them, both cut-offs,
// residual connections and a classifier. Its weights are drawn from r.
func network(r *rand.Rand) *ir.Model {
	x := &ir.Value{Name: "input", Type: ir.TensorType(tensor.Float32, ir.Symbol("N"), ir.Known(3), ir.Known(demo.Side), ir.Known(demo.Side))}
	b := &builder{graph: &ir.Graph{Name: "demo", Inputs: []*ir.Value{x}}, count: map[string]int{}, r: r}
	y := b.relu(b.norm(b.conv(x, 3, 24, 3, 2)))
	y = b.separable(y, 24, 32)
	y = b.inverted(y, 32, 64, 48, 2)
	y = b.add(y, b.inverted(y, 48, 96, 48, 1))
	y = b.relu(b.norm(b.conv(y, 48, 64, 3, 2)))
	y = b.relu(b.add(y, b.basic(y, 64)))
	y = b.node("Flatten", nil, b.node("GlobalAveragePool", nil, y))
	return b.model(b.dense(y, 64, len(demo.Classes)))
}

// separable is the block of MobileNet: depthwise, then pointwise.
func (b *builder) separable(x *ir.Value, in, out int) *ir.Value {
	x = b.relu6(b.norm(b.depthwise(x, in, 3, 1)))
	return b.relu6(b.norm(b.conv(x, in, out, 1, 1)))
}

// inverted is the block of MobileNetV2: widen, depthwise, narrow.
func (b *builder) inverted(x *ir.Value, in, wide, out, stride int) *ir.Value {
	x = b.relu6(b.norm(b.conv(x, in, wide, 1, 1)))
	x = b.relu6(b.norm(b.depthwise(x, wide, 3, stride)))
	return b.norm(b.conv(x, wide, out, 1, 1))
}

// basic is the body of ResNet's block.
func (b *builder) basic(x *ir.Value, c int) *ir.Value {
	x = b.relu(b.norm(b.conv(x, c, c, 3, 1)))
	return b.norm(b.conv(x, c, c, 3, 1))
}
