package grad

import "pare/tensor"

// lowerDequantize is (codes - zero)·scale; gradients go to the scales.
func lowerDequantize(b *builder) error {
	codes, scale := b.in(0, plain), b.in(1, plain)
	if codes.isFloat() || b.has(2) && b.dtype(2).IsFloat() {
		return lowerReference(b)
	}
	y := b.out(0, plain)
	in := []*slot{codes, scale}
	if b.has(2) {
		in = append(in, b.in(2, plain))
	}
	st := b.step(in, []*slot{y})
	s := b.scaled(st, codes, scale, 1)
	whole := st.keep(y.size())
	s.st.eval = nil // scales of any sign decode
	st.then(serial(func() {
		copy(whole.data, tensor.Float32s(codes.other.(*tensor.Tensor)))
		if len(in) < 3 {
			return
		}
		zero := tensor.Float32s(in[2].other.(*tensor.Tensor))
		for _, r := range s.runs {
			for i := range r.n {
				whole.data[r.lo+i] -= zero[r.of(i)]
			}
		}
	}))
	st.then(s.work(0, func(r *scaleRun, _ []float32) {
		for i := range r.n {
			y.data[r.lo+i] = whole.data[r.lo+i] * scale.data[r.of(i)]
		}
	}))
	if st.flows() {
		s.back(0, 1, func(r *scaleRun, _ []float32) (sum float64) {
			for i := r.lo; i < r.lo+r.n; i++ {
				sum += float64(y.grad[i] * whole.data[i])
			}
			return sum
		}, func(i, _ int) float64 { return float64(y.grad[i] * whole.data[i]) })
	}
	return nil
}
