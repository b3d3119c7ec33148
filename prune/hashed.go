package prune

import (
	"fmt"
	"math"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/internal/fault"
	"pare/tensor"
)

// hashed are the weights of a layer, hashed. With PerChannel the weights of every
// output channel are divided by their root mean square before and multiplied by it
// behind: folded batch-norms leave channels of very different sizes.
func hashed(l *compress.Layer, o Hashing) (*tensor.Tensor, *Hash, error) {
	t := l.Weight.Const
	x := slices.Clone(tensor.Float32s(t))
	if i := slices.IndexFunc(x, func(v float32) bool { return v-v != 0 }); i >= 0 {
		err := &format.NotFiniteError{Index: i, Value: x[i]}
		return nil, nil, fault.Hint(err, "the file holds a broken network; pare compress --recipe 'copy' passes it through unchanged")
	}
	var sizes []float64
	if o.PerChannel {
		sizes = channelSizes(x, t.Shape, l.Out)
		scaleChannels(x, t.Shape, l.Out, func(c int) float64 { return 1 / sizes[c] })
	}
	h := o.Fit(x)
	h.Apply(x, x)
	if h.sizes = sizes; sizes != nil {
		scaleChannels(x, t.Shape, l.Out, func(c int) float64 { return sizes[c] })
	}
	r, err := tensor.FromFloat32s(t.Type, t.Shape, x)
	if err != nil {
		err = fmt.Errorf("%v: %w", t.Type, err)
	}
	return r, h, err
}

// channelSizes are the root mean squares along an axis, 1 for channels of zeros.
func channelSizes(x []float32, shape []int, axis int) []float64 {
	out := make([]float64, shape[axis])
	inner := tensor.Len(shape[axis+1:])
	for i, v := range x {
		out[i/inner%len(out)] += float64(v) * float64(v)
	}
	for c, s := range out {
		if out[c] = math.Sqrt(s * float64(len(out)) / float64(len(x))); s == 0 {
			out[c] = 1
		}
	}
	return out
}

// scaleChannels multiplies channel c along an axis by f(c).
func scaleChannels(x []float32, shape []int, axis int, f func(c int) float64) {
	n, inner := shape[axis], tensor.Len(shape[axis+1:])
	for from := 0; from < len(x); from += inner {
		by := f(from / inner % n)
		for i, v := range x[from:][:inner] {
			x[from+i] = float32(float64(v) * by)
		}
	}
}
