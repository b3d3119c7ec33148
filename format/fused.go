package format

import (
	"math"

	"pare/tensor"
)

// Integral reports whether every weight is one integer times the scale of its
// group: what integer kernels take. Sums of terms and codebooks without a largest
// level are not.
func (e *Encoded) Integral() bool {
	return e.Orders == nil && (e.Levels == nil || wholeTop(e.Levels) > 0)
}

// Fused returns two uniform terms as one of at most 8 bits, where the scales of
// every index along the axis are equal but for a power of two: one integer
// matrix for both. It stands for the same numbers up to the rounding of their
// sum.
func (e *Encoded) Fused() (*Encoded, bool) {
	if len(e.Orders) != 2 || e.Orders[1].Spec.Grain != PerChannel {
		return nil, false
	}
	a, b := e.Orders[0], e.Orders[1]
	if b.Offset != 0 {
		return nil, false
	}
	if s := a.Spec; s.Kind != Uniform || s.Asymmetric || s.Grain != PerChannel || s.Axis != b.Axis {
		return nil, false
	}
	dim, inner := a.Codes.Shape[b.Axis], tensor.Len(a.Codes.Shape[b.Axis+1:])
	place, fine := b.place(dim)
	coarse := tensor.Data[float32](a.Scale)
	first, _ := codesOf(a.Codes)
	second, _ := codesOf(b.Codes)
	codes := make([]byte, len(first))
	for i, q := range first {
		k := i / inner
		c := k % dim
		if fine[c] != 0 {
			ratio := coarse[c] / fine[c]
			if f, _ := math.Frexp(float64(ratio)); f != 0.5 || ratio < 1 || ratio > 128 {
				return nil, false
			}
			q = q*int16(ratio) + second[(k/dim*b.Codes.Shape[b.Axis]+place[c])*inner+i%inner]
		}
		if q < -127 || q > 127 {
			return nil, false
		}
		codes[i] = byte(q)
	}
	for c, s := range coarse {
		if fine[c] == 0 {
			fine[c] = s
		}
	}
	s := a.Spec
	s.Bits, s.Wide = 8, false
	return &Encoded{
		Spec: s, Codes: tensor.FromCodes(tensor.Int8, a.Codes.Shape, codes), Scale: tensor.Of([]int{dim}, fine),
		Zero: tensor.New(tensor.Int8, dim),
	}, true
}
