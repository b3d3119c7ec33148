package main

import (
	"math/rand/v2"

	"pare/demo"
)

// newNetwork has what compression meets in real networks: ordinary, depthwise
// and pointwise convolutions, strides, batch-norms behind all of them, both
// cut-offs, residual connections and a classifier.
func newNetwork(r *rand.Rand) sequence {
	stem := newConv(r, 3, 24, 3, 2)
	stem.first = true
	net := sequence{stem, newBatchNorm(24), newReLU()}
	net = append(net, separable(r, 24, 32)...)
	net = append(net, inverted(r, 32, 64, 48, 2)...)
	net = append(net, &residual{body: inverted(r, 48, 96, 48, 1)})
	net = append(net, newConv(r, 48, 64, 3, 2), newBatchNorm(64), newReLU())
	net = append(net, &residual{body: basic(r, 64)}, newReLU())
	return append(net, &pool{}, newDense(r, 64, len(demo.Classes)))
}

// separable is the block of MobileNet: depthwise, then pointwise.
func separable(r *rand.Rand, in, out int) sequence {
	return sequence{
		newDepthwise(r, in, 3, 1), newBatchNorm(in), newReLU6(),
		newConv(r, in, out, 1, 1), newBatchNorm(out), newReLU6(),
	}
}

// inverted is the block of MobileNetV2: widen, depthwise, narrow.
func inverted(r *rand.Rand, in, wide, out, stride int) sequence {
	return sequence{
		newConv(r, in, wide, 1, 1), newBatchNorm(wide), newReLU6(),
		newDepthwise(r, wide, 3, stride), newBatchNorm(wide), newReLU6(),
		newConv(r, wide, out, 1, 1), newBatchNorm(out),
	}
}

// basic is the body of ResNet's block.
func basic(r *rand.Rand, c int) sequence {
	return sequence{
		newConv(r, c, c, 3, 1), newBatchNorm(c), newReLU(),
		newConv(r, c, c, 3, 1), newBatchNorm(c),
	}
}
