package quant

import (
	"math"
	"runtime"

	"pare/compress"
	"pare/format"
	"pare/internal/par"
	"pare/tensor"
)

// mostGain bounds how far the scale of a channel moves: beyond, its codes have
// little to do with its weights.
const mostGain = 2

// gain scales output channels so that what they compute varies as much as with
// the weights w. The levels that fit weights best are means of what they stand
// for, which vary less: a loss of a few per cent per layer at 2 bits, which adds
// up over the depth while biases stay as they are. Data that vary more count
// more. It returns the new error.
func (e *energies) gain(l *compress.Layer, x *format.Encoded, w *tensor.Tensor, threads int) (cost format.Error, err error) {
	now, err := x.Decode(threads)
	if err != nil {
		return cost, err
	}
	if x.Spec.Grain == format.PerChannel && x.Spec.Axis == l.Out {
		counts := e.variances(l, w.Shape)
		want, have := channelEnergies(w, l.Out, counts), channelEnergies(now, l.Out, counts)
		scale := tensor.Data[float32](x.Scale)
		for c := range scale {
			if have[c] > 0 && want[c] > 0 {
				scale[c] *= float32(min(max(math.Sqrt(want[c]/have[c]), 1/mostGain), mostGain))
			}
		}
		if now, err = x.Decode(threads); err != nil {
			return cost, err
		}
	}
	return format.Difference(tensor.Data[float32](w), tensor.Data[float32](now)), nil
}

// channelEnergies sums the squares of x along an axis, each times what it counts;
// without counts all count alike.
func channelEnergies(x *tensor.Tensor, axis int, counts []float32) []float64 {
	dim, inner := x.Shape[axis], tensor.Len(x.Shape[axis+1:])
	out, data := make([]float64, dim), tensor.Data[float32](x)
	const parts = 16
	par.Each(parts, runtime.GOMAXPROCS(0), func(i int) {
		from, to := i*dim/parts, (i+1)*dim/parts
		for start := 0; start < len(data); start += dim * inner {
			addEnergies(out[from:to], data[start+from*inner:start+to*inner], rangeOf(counts, start+from*inner, start+to*inner))
		}
	})
	return out
}

// rangeOf is x[from:to], nil of nil.
func rangeOf(x []float32, from, to int) []float32 {
	if x == nil {
		return nil
	}
	return x[from:to]
}

// addEnergies adds the sum of the squares of each of len(sums) equal parts of x.
func addEnergies(sums []float64, x, counts []float32) {
	inner := len(x) / max(1, len(sums))
	if counts == nil {
		for c := range sums {
			sum := 0.0
			for _, v := range x[c*inner : (c+1)*inner] {
				sum += float64(v) * float64(v)
			}
			sums[c] += sum
		}
		return
	}
	for c := range sums {
		sum, n := 0.0, counts[c*inner:(c+1)*inner]
		for i, v := range x[c*inner : (c+1)*inner] {
			sum += float64(n[i]) * float64(v) * float64(v)
		}
		sums[c] += sum
	}
}
