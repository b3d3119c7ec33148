package main

import (
	"math/rand/v2"

	"pare/ir"
)

// layer is one step of the network. It keeps what its backward pass needs from
// the last forward pass, so the two must alternate.
type layer interface {
	// forward computes the layer on a batch. While training, batch-norms use
	// the statistics of the batch and update their running ones. The result
	// belongs to the layer and holds until its next forward pass.
	forward(x *maps, training bool) *maps
	// backward takes the gradient of the loss by the layer's result, sets the
	// gradients of its parameters and returns that by its operand.
	backward(dy *maps) *maps
	params() []*param
	// emit adds the layer to a graph and returns its result.
	emit(b *builder, x *ir.Value) *ir.Value
}

// param is one tensor that is learned.
type param struct {
	v, grad  []float32
	momentum []float32
	decay    bool // whether it is pulled towards zero
}

func newParam(size int, decay bool) *param {
	return &param{v: make([]float32, size), grad: make([]float32, size), momentum: make([]float32, size), decay: decay}
}

// normal fills p with normal values of a standard deviation.
func (p *param) normal(r *rand.Rand, std float64) *param {
	for i := range p.v {
		p.v[i] = float32(r.NormFloat64() * std)
	}
	return p
}

// partial is a parameter's gradient, one sum for each shard.
type partial [shards][]float32

// clear makes every sum zero, of the given length.
func (p *partial) clear(size int) {
	for s := range p {
		if len(p[s]) != size {
			p[s] = make([]float32, size)
		}
		clear(p[s])
	}
}

// total sets dst to the sum over the shards, in their order.
func (p *partial) total(dst []float32) {
	clear(dst)
	for _, part := range p {
		for i, x := range part {
			dst[i] += x
		}
	}
}
