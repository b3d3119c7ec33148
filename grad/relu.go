package grad

func lowerRelu(b *builder) error {
	return b.unary(
		func(x float32) float32 { return max(x, 0) },
		func(x, y, dy float32) float32 {
			if x > 0 {
				return dy
			}
			return 0
		})
}

// unary lowers an element-wise function of operand 0 in its own layout; slope
// returns the gradient of x from that of y.
func (b *builder) unary(f func(x float32) float32, slope func(x, y, dy float32) float32) error {
	x := b.in(0, either)
	y := b.out(0, x.lay)
	st := b.step([]*slot{x}, []*slot{y})
	st.then(span(x.size(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y.data[i] = f(x.data[i])
		}
	}))
	if st.wants(0) {
		st.uses(x, y)
		st.back(span(x.size(), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				st.dx[0][i] = slope(x.data[i], y.data[i], y.grad[i])
			}
		}))
	}
	return nil
}
