package grad

import (
	"pare/kernel"
)

// convShape reads the geometry of a convolution; lines are images of height 1.
func (b *builder) convShape() kernel.ConvShape {
	x, w := b.shape(0), b.shape(1)
	rank := len(x) - 2
	if rank != 1 && rank != 2 {
		refuse("convolutions over %d dimensions have no gradient", rank)
	}
	n := b.node
	strides, dil := ones(n.Ints("strides"), rank), ones(n.Ints("dilations"), rank)
	pads := b.pads(x[2:], w[2:], strides, dil)
	if rank == 1 {
		x, w = []int{x[0], x[1], 1, x[2]}, []int{w[0], w[1], 1, w[2]}
		strides, dil, pads = []int{1, strides[0]}, []int{1, dil[0]}, []int{0, pads[0], 0, pads[1]}
	}
	return kernel.ConvShape{N: x[0], C: x[1], H: x[2], W: x[3], O: w[0], KH: w[2], KW: w[3],
		StrideH: strides[0], StrideW: strides[1], DilH: dil[0], DilW: dil[1],
		PadT: pads[0], PadL: pads[1], PadB: pads[2], PadR: pads[3], Groups: n.Int("group", 1)}
}

func ones(list []int, n int) []int {
	for len(list) < n {
		list = append(list, 1)
	}
	return list
}

// pads are those of a window that slides over space, begins before ends.
func (b *builder) pads(in, k, strides, dil []int) []int {
	rank := len(in)
	pads := make([]int, 2*rank)
	switch auto := b.node.Str("auto_pad", "NOTSET"); auto {
	case "SAME_UPPER", "SAME_LOWER":
		for i := range rank {
			out := (in[i] + strides[i] - 1) / strides[i]
			total := max(0, (out-1)*strides[i]+(k[i]-1)*dil[i]+1-in[i])
			pads[i] = total / 2
			if auto == "SAME_LOWER" {
				pads[i] = total - total/2
			}
			pads[rank+i] = total - pads[i]
		}
	case "NOTSET", "":
		copy(pads, b.node.Ints("pads"))
	}
	return pads
}
