package format

import "pare/tensor"

// Integral reports whether every weight is one integer times the scale of its
// group: what integer kernels take. Sums of terms and codebooks without a largest
// level are not.
func (e *Encoded) Integral() bool {
	return e.Orders == nil && (e.Levels == nil || wholeTop(e.Levels) > 0)
}

// Fused returns the sum of uniform terms as one uniform encoding of 8 bits, where
// the steps of every index along the axis are powers of two apart and the
// integers fit: one integer matrix for all. It stands for the same numbers up to
// the rounding of their sum.
func (e *Encoded) Fused() (*Encoded, bool) {
	if len(e.Orders) < 2 {
		return nil, false
	}
	s := e.Orders[0].Spec
	if s.Kind != Uniform || s.Asymmetric || s.Grain != PerChannel {
		return nil, false
	}
	terms, err := e.IntTerms(s.Axis)
	if err != nil || len(terms) != 1 {
		return nil, false
	}
	shape := e.Codes.Shape
	outer, inner, dim := tensor.Len(shape[:s.Axis]), tensor.Len(shape[s.Axis+1:]), shape[s.Axis]
	codes := make([]byte, e.Codes.Len())
	for i, v := range terms[0].Values {
		row, at := i/inner, i%inner
		codes[(row%outer*dim+row/outer)*inner+at] = byte(v)
	}
	scale := make([]float32, dim)
	for c, x := range terms[0].Scale {
		scale[c] = float32(x)
	}
	s.Bits, s.Wide = 8, false
	return &Encoded{
		Spec: s, Codes: tensor.FromCodes(tensor.Int8, shape, codes), Scale: tensor.Of([]int{dim}, scale),
		Zero: tensor.New(tensor.Int8, dim),
	}, true
}
