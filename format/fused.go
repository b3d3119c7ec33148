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

// Fused returns the sum of uniform terms as one uniform encoding of 8 bits, where
// the steps of every index along the axis are powers of two apart and the
// integers fit: one integer matrix for all. It stands for the same numbers up to
// the rounding of their sum.
func (e *Encoded) Fused() (*Encoded, bool) {
	if len(e.Orders) < 2 {
		return nil, false
	}
	first := e.Orders[0]
	s := first.Spec
	if s.Kind != Uniform || s.Asymmetric || s.Grain != PerChannel {
		return nil, false
	}
	first.Axis = s.Axis
	terms := append([]Order{first}, e.Orders[1:]...)
	dim, inner := e.Codes.Shape[s.Axis], tensor.Len(e.Codes.Shape[s.Axis+1:])
	units := make([]float32, dim)
	for _, o := range terms {
		if o.Axis != s.Axis || o.Spec.Grain != PerChannel {
			return nil, false
		}
		_, steps := o.place(dim)
		for c, step := range steps {
			if step *= 1 - o.Offset; step > 0 && (units[c] == 0 || step < units[c]) {
				units[c] = step
			}
		}
	}
	sum := make([]float64, e.Codes.Len())
	for _, o := range terms {
		if !o.addUnits(sum, units, inner) {
			return nil, false
		}
	}
	codes := make([]byte, len(sum))
	for i, q := range sum {
		if q < -127 || q > 127 {
			return nil, false
		}
		codes[i] = byte(int8(q))
	}
	s.Bits, s.Wide = 8, false
	return &Encoded{
		Spec: s, Codes: tensor.FromCodes(tensor.Int8, e.Codes.Shape, codes), Scale: tensor.Of([]int{dim}, units),
		Zero: tensor.New(tensor.Int8, dim),
	}, true
}

// addUnits adds the term's numbers in units of each index along the axis, unless
// a step is no power of two of them.
func (o Order) addUnits(sum []float64, units []float32, inner int) bool {
	dim, rows := len(units), o.Codes.Shape[o.Axis]
	place, steps := o.place(dim)
	codes, err := codesOf(o.Codes)
	if err != nil {
		return false
	}
	for k := 0; k*inner < len(sum); k++ {
		c := k % dim
		if steps[c] == 0 {
			continue
		}
		ratio := float64(steps[c] / units[c])
		if f, _ := math.Frexp(ratio); f != 0.5 || ratio > 256 {
			return false
		}
		for i, q := range codes[(k/dim*rows+place[c])*inner:][:inner] {
			sum[k*inner+i] += (float64(q) + float64(o.Offset)) * ratio
		}
	}
	return true
}
