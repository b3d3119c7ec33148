package prune

import (
	"pare/format"
	"pare/tensor"
)

// whole reads the numbers before the scales of encoded weights, the codes less the
// zero points or the levels, as a Float32 tensor; ok is false for sums of terms
// and for blocks, whose scales lie across channels.
func whole(e *format.Encoded) (t *tensor.Tensor, ok bool) {
	if e.Orders != nil || e.Spec.Grain == format.PerBlock || e.Levels == nil && e.Spec.Kind != format.Uniform {
		return nil, false
	}
	t = tensor.New(tensor.Float32, e.Codes.Shape...)
	x := tensor.Data[float32](t)
	if e.Levels != nil {
		for i, c := range tensor.Ints8(e.Codes) {
			x[i] = e.Levels[c]
		}
		return t, true
	}
	e.Integers(func(i int, v int16) { x[i] = float32(v) })
	return t, true
}

// recode stores w, the numbers before the scales of what a change left of e, in
// codes: of the type that e has where it holds them, of 8 bits where that does. kept
// are the positions along the axis of the scales that are left, nil for all. ok is
// false where no code stands for a number.
func recode(e *format.Encoded, w *tensor.Tensor, kept []int) (out *format.Encoded, ok bool) {
	out = &format.Encoded{Spec: e.Spec, Scale: e.Scale, Zero: e.Zero, Levels: e.Levels}
	if kept != nil && e.Spec.Grain == format.PerChannel {
		out.Scale = picked(e.Scale, kept)
		if e.Zero != nil {
			out.Zero = picked(e.Zero, kept)
		}
	}
	codes, lo, hi, ok := codesFor(out, w)
	if !ok {
		return nil, false
	}
	t := e.Codes.Type
	if least, most := span(t); lo < least || hi > most {
		t = tensor.Int8
		if e.Codes.Type.IsUnsigned() {
			t = tensor.Uint8
		}
		if least, most = span(t); lo < least || hi > most {
			return nil, false
		}
		out.Spec.Bits, out.Spec.Wide = 8, false
	}
	out.Codes = stored(t, w.Shape, codes)
	if out.Zero != nil {
		out.Zero = stored(t, out.Zero.Shape, tensor.Ints8(out.Zero))
	}
	return out, true
}

// codesFor are the codes of numbers before the scales, and their range.
func codesFor(e *format.Encoded, w *tensor.Tensor) (codes []int16, lo, hi int, ok bool) {
	x := tensor.Data[float32](w)
	codes = make([]int16, len(x))
	of := map[float32]int16{}
	for k, v := range e.Levels {
		of[v] = int16(k)
	}
	zero := zeroPoints(e, w.Shape)
	for i, v := range x {
		q, known := of[v]
		if e.Levels == nil {
			q = int16(v) + zero(i)
			known = float32(int16(v)) == v
		}
		if !known {
			return nil, 0, 0, false
		}
		codes[i], lo, hi = q, min(lo, int(q)), max(hi, int(q))
	}
	return codes, lo, hi, true
}

// zeroPoints tells the zero point of element i of weights of the given shape.
func zeroPoints(e *format.Encoded, shape []int) func(i int) int16 {
	if e.Zero == nil {
		return func(int) int16 { return 0 }
	}
	zeros := tensor.Ints8(e.Zero)
	if len(zeros) == 1 {
		return func(int) int16 { return zeros[0] }
	}
	inner := tensor.Len(shape[e.Spec.Axis+1:])
	return func(i int) int16 { return zeros[i/inner%len(zeros)] }
}

// span are the least and the largest number of an integer type of at most 8 bits.
func span(t tensor.DType) (least, most int) {
	if t.IsUnsigned() {
		return 0, 1<<t.Bits() - 1
	}
	return -1 << (t.Bits() - 1), 1<<(t.Bits()-1) - 1
}

func stored(t tensor.DType, shape []int, codes []int16) *tensor.Tensor {
	raw := make([]byte, len(codes))
	for i, c := range codes {
		raw[i] = byte(c)
	}
	return tensor.FromCodes(t, shape, raw)
}

// picked are the given elements of a list, of 32 bits or of codes.
func picked(t *tensor.Tensor, at []int) *tensor.Tensor {
	switch t.Type {
	case tensor.Float32:
		return tensor.Of([]int{len(at)}, chosen(tensor.Data[float32](t), at))
	case tensor.Int32:
		return tensor.Of([]int{len(at)}, chosen(tensor.Data[int32](t), at))
	}
	return stored(t.Type, []int{len(at)}, chosen(tensor.Ints8(t), at))
}

func chosen[T any](list []T, at []int) []T {
	out := make([]T, len(at))
	for i, k := range at {
		out[i] = list[k]
	}
	return out
}
