package grad

import "pare/tensor"

// lowerGlobalAveragePool is the mean over space.
func lowerGlobalAveragePool(b *builder) error {
	x := b.in(0, last)
	y := b.out(0, last)
	st := b.step([]*slot{x}, []*slot{y})
	n, c, px := x.shape[0], x.shape[1], tensor.Len(x.shape[2:])
	if len(x.shape) < 3 {
		px = 1
	}
	inv := 1 / float32(px)
	st.then(spanBy(n, 1, func(i, _ int) {
		dst := y.data[i*c : (i+1)*c]
		clear(dst)
		for p := range px {
			for k, v := range x.data[(i*px+p)*c:][:c] {
				dst[k] += v
			}
		}
		for k := range dst {
			dst[k] *= inv
		}
	}))
	if st.wants(0) {
		st.back(spanBy(n, 1, func(i, _ int) {
			dy := y.grad[i*c : (i+1)*c]
			for p := range px {
				dst := st.dx[0][(i*px+p)*c:][:c]
				for k, v := range dy {
					dst[k] = v * inv
				}
			}
		}))
	}
	return nil
}
