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

// hashed are the weights of a layer, hashed.
func hashed(l *compress.Layer, o Hashing) (*tensor.Tensor, *Hash, error) {
	t := l.Weight.Const
	x := tensor.Float32s(t)
	if i := slices.IndexFunc(x, func(v float32) bool { return v-v != 0 }); i >= 0 {
		err := &format.NotFiniteError{Index: i, Value: x[i]}
		return nil, nil, fault.Hint(err, "the file holds a broken network; pare compress --recipe 'copy' passes it through unchanged")
	}
	h, y := o.layer(x, t.Shape, l.Out)
	r, err := tensor.FromFloat32s(t.Type, t.Shape, y)
	if err != nil {
		err = fmt.Errorf("%v: %w", t.Type, err)
	}
	return r, h, err
}

// layer hashes weights of the given shape, output channels lying along axis, in the
// units that the grain says. Without one, channels share their levels where these
// are then fine enough for the smallest of them.
func (o Hashing) layer(x []float32, shape []int, axis int) (*Hash, []float32) {
	sizes := channelSizes(x, shape, axis)
	for part := 1.0; o.Grain != byChannel && (part == 1 || o.Grain == "" && part >= 0.25); part /= 2 {
		finer := o
		finer.Error *= part
		h := finer.Fit(x)
		y := make([]float32, len(x))
		h.Apply(y, x)
		if o.Grain == byLayer || unevenness(x, y, shape, axis, sizes) <= bearable*max(o.Error, h.Error) && o.Most == 0 {
			return h, y
		}
	}
	// Powers of two let channels of like size share their levels.
	for c, s := range sizes {
		sizes[c] = math.Exp2(math.Round(math.Log2(s)))
	}
	y := slices.Clone(x)
	scaleChannels(y, shape, axis, func(c int) float64 { return 1 / sizes[c] })
	h := o.Fit(y)
	h.Apply(y, y)
	scaleChannels(y, shape, axis, func(c int) float64 { return sizes[c] })
	h.sizes = sizes
	return h, y
}

// The grains of hashing, in words.
const (
	byLayer   = "layer"
	byChannel = "channel"
)

// bearable is how much larger than that of the layer the error of its channels, each
// relative to itself, may be.
const bearable = 2

// unevenness is the root mean square over channels of the error of y, relative to
// the channel of x.
func unevenness(x, y []float32, shape []int, axis int, sizes []float64) float64 {
	n, inner, sum := shape[axis], tensor.Len(shape[axis+1:]), 0.0
	for i, v := range x {
		d := float64(y[i]-v) / sizes[i/inner%n]
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(x)))
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
