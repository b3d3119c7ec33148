package pass

import (
	"slices"

	"pare/tensor"
)

// affine is a change of a value per channel: x becomes scale·x + offset.
type affine struct{ scale, offset []float64 }

func identityMap(channels int) affine {
	a := affine{make([]float64, channels), make([]float64, channels)}
	for c := range a.scale {
		a.scale[c] = 1
	}
	return a
}

// inverse undoes a. Scales must not be zero.
func (a affine) inverse() affine {
	b := identityMap(len(a.scale))
	for c, s := range a.scale {
		b.scale[c] = 1 / s
		if a.offset[c] != 0 {
			b.offset[c] = -a.offset[c] / s
		}
	}
	return b
}

func (a affine) isIdentity() bool { return !a.moves() && a.keepsScale() }

func (a affine) keepsScale() bool {
	return !slices.ContainsFunc(a.scale, func(s float64) bool { return s != 1 })
}

// moves reports whether any channel has an offset.
func (a affine) moves() bool {
	return slices.ContainsFunc(a.offset, func(o float64) bool { return o != 0 })
}

// applyTo returns scale·t + offset along one axis of what t is broadcast to,
// counted from the end (0 is the last). The result has t's type and as many
// dimensions as that takes.
func (a affine) applyTo(t *tensor.Tensor, fromEnd int) (*tensor.Tensor, bool) {
	shape := slices.Clone(t.Shape)
	for len(shape) <= fromEnd {
		shape = slices.Insert(shape, 0, 1)
	}
	axis := len(shape) - 1 - fromEnd
	one := shape[axis] == 1
	shape[axis] = len(a.scale)
	inner := tensor.Len(shape[axis+1:])
	x, y := tensor.Float64s(t), make([]float64, tensor.Len(shape))
	for i := range y {
		c := i / inner % len(a.scale)
		k := i
		if one {
			k = i/(inner*len(a.scale))*inner + i%inner
		}
		y[i] = a.scale[c]*x[k] + a.offset[c]
	}
	return stored(t.Type, shape, y)
}

// stored converts to the type in which a parameter is kept; ok is false where
// a number does not fit it.
func stored(t tensor.DType, shape []int, x []float64) (*tensor.Tensor, bool) {
	out, err := tensor.FromFloat64s(t, shape, x)
	return out, err == nil && finite(tensor.Float64s(out))
}

func finite[T float32 | float64](x []T) bool {
	for _, v := range x {
		if v-v != 0 { // infinite or no number
			return false
		}
	}
	return true
}

// perChannel returns the entries of a constant that is the same everywhere but
// along one axis of x (counted from the end) with the given number of channels.
func perChannel(t *tensor.Tensor, fromEnd, channels int) ([]float64, bool) {
	if !t.Type.IsFloat() {
		return nil, false
	}
	x := tensor.Float64s(t)
	if len(x) == 1 {
		return slices.Repeat(x, channels), true
	}
	axis := len(t.Shape) - 1 - fromEnd
	if axis < 0 || t.Shape[axis] != channels || len(x) != channels {
		return nil, false
	}
	return slices.Clone(x), true
}
