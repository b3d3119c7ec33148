package engine

import (
	"math"

	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// maxIntSum is how many products of codes and weights of 8 bits the sums of
// integer kernels hold.
const maxIntSum = math.MaxInt32 / (255 * 128)

// intWeights are constant weights that are integers times a scale per output
// channel.
type intWeights struct {
	t     *tensor.Tensor // the decoded constant
	e     *format.Encoded
	scale []float64 // one, or one per channel
	axis  int       // of the output channels
}

// at is the scale of output channel o.
func (w *intWeights) at(o int) float64 { return w.scale[min(o, len(w.scale)-1)] }

// intWeightsOf knows weights whose codes were decoded before, with a scale for
// the tensor or one per index of the axis. Sums run over k products.
func (b *builder) intWeightsOf(v *ir.Value, axis, k int) (*intWeights, bool) {
	t := b.cst(v)
	e := b.p.codes[t]
	if t == nil || e == nil || k > maxIntSum || e.Spec.Grain == format.PerBlock || e.Spec.Grain == format.PerChannel && e.Spec.Axis != axis {
		return nil, false
	}
	return &intWeights{t, e, tensor.Float64s(e.Scale), axis}, eightBits(e)
}

// eightBits reports whether the integers of an encoding fit into s8. Sums of
// several terms and levels that are no integers do not.
func eightBits(e *format.Encoded) bool {
	if !e.Integral() {
		return false
	}
	for _, l := range e.Levels {
		if l < math.MinInt8 || l > math.MaxInt8 || l != float32(int(l)) {
			return false
		}
	}
	ok := true
	if e.Levels == nil && e.Spec.Asymmetric {
		e.Integers(func(_ int, v int16) { ok = ok && v >= math.MinInt8 && v <= math.MaxInt8 })
	}
	return ok
}

// integers are the weights as s8, output channels first.
func (w *intWeights) integers() []int8 {
	shape := w.e.Codes.Shape
	outer, inner := tensor.Len(shape[:w.axis]), tensor.Len(shape[w.axis+1:])
	out := make([]int8, tensor.Len(shape))
	w.e.Integers(func(i int, v int16) {
		o := i / inner % shape[w.axis]
		out[(o*outer+i/inner/shape[w.axis])*inner+i%inner] = int8(v)
	})
	return out
}
