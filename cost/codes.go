package cost

import (
	"pare/format"
	"pare/tensor"
)

// terms returns the numbers that multiply inputs, one slice of all weights for
// each term of a sum: weights as they are, or codes without their scales.
func (s *stored) terms(threads int) ([][]float32, error) {
	if s.encoded == nil {
		return [][]float32{tensor.Float32s(s.float)}, nil
	}
	if s.encoded.Orders == nil {
		x, err := unscaled(s.encoded, threads)
		return [][]float32{x}, err
	}
	var out [][]float32
	for _, o := range s.encoded.Orders {
		x, err := unscaled(o.Encoded, threads)
		if err != nil {
			return nil, err
		}
		out = append(out, placed(o, x, s.encoded.Codes.Shape))
	}
	return out, nil
}

// unscaled decodes with scales of 1: codes less zero points, or levels.
func unscaled(e *format.Encoded, threads int) ([]float32, error) {
	ones := tensor.New(tensor.Float32, e.Scale.Shape...)
	for i := range tensor.Data[float32](ones) {
		tensor.Data[float32](ones)[i] = 1
	}
	plain := *e
	plain.Scale = ones
	t, err := plain.Decode(threads)
	if err != nil {
		return nil, err
	}
	return tensor.Data[float32](t), nil
}

// placed spreads the rows of a term over a tensor of all weights. Codes between
// levels, code + 1/2, become odd integers: a scale is free.
func placed(o format.Order, x []float32, shape []int) []float32 {
	if o.Offset != 0 {
		for i := range x {
			x[i] = 2 * (x[i] + o.Offset)
		}
	}
	if o.Rows == nil {
		return x
	}
	out := make([]float32, tensor.Len(shape))
	dim, inner, rows := shape[o.Axis], tensor.Len(shape[o.Axis+1:]), len(o.Rows)
	for outer := range tensor.Len(shape[:o.Axis]) {
		for k, c := range o.Rows {
			copy(out[(outer*dim+c)*inner:][:inner], x[(outer*rows+k)*inner:][:inner])
		}
	}
	return out
}
