package cost

import (
	"slices"

	"pare/format"
	"pare/tensor"
)

// terms lays the numbers that multiply inputs out like w, those of each term of a
// sum by themselves: weights as they are, or codes without their scales.
func (s *stored) terms(w Weights, threads int) ([]Weights, error) {
	if s.encoded == nil {
		w.Values = tensor.Float32s(s.float)
		return []Weights{w}, nil
	}
	if s.encoded.Orders == nil && bytes(&w, s.encoded) {
		return []Weights{w}, nil
	}
	orders := s.encoded.Orders
	if orders == nil {
		orders = []format.Order{{Encoded: s.encoded}}
	}
	var out []Weights
	for _, o := range orders {
		x, err := unscaled(o.Encoded, threads)
		if err != nil {
			return nil, err
		}
		w.Values = placed(o, x, s.encoded.Codes.Shape)
		out = append(out, w)
	}
	return out, nil
}

// bytes lays codes out as they are stored, where each means one number.
func bytes(w *Weights, e *format.Encoded) bool {
	if e.Zero != nil && !zeros(e.Zero) {
		return false
	}
	w.Codes, w.Levels = tensor.Codes(e.Codes), new([256]float32)
	shift := 8 - e.Codes.Type.Bits()
	for b := range w.Levels {
		switch {
		case e.Levels != nil && b < len(e.Levels):
			w.Levels[b] = e.Levels[b]
		case e.Levels == nil && e.Codes.Type.IsUnsigned():
			w.Levels[b] = float32(b)
		case e.Levels == nil:
			w.Levels[b] = float32(int8(b<<shift) >> shift)
		}
	}
	return true
}

func zeros(t *tensor.Tensor) bool {
	return !slices.ContainsFunc(tensor.Codes(t), func(b byte) bool { return b != 0 })
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
