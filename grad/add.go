package grad

// lowerAdd is x + y with broadcasting.
func lowerAdd(b *builder) error {
	x, y, z := b.pair()
	st := b.step([]*slot{x, y}, []*slot{z})
	xs, ys := spread(x, z), spread(y, z)
	st.then(span(z.size(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			z.data[i] = x.data[xs.at(i)] + y.data[ys.at(i)]
		}
	}))
	if xs.same {
		st.passes(0)
	} else if st.wants(0) {
		st.back(xs.collect(func() []float32 { return st.dx[0] }, func(i int) float32 { return z.grad[i] }))
	}
	if ys.same {
		st.passes(1)
	} else if st.wants(1) {
		st.back(ys.collect(func() []float32 { return st.dx[1] }, func(i int) float32 { return z.grad[i] }))
	}
	return nil
}

// pair is the operands and the result of a binary operator in one layout: that of
// an operand as large as the result.
func (b *builder) pair() (x, y, z *slot) {
	lay := plain
	if sameShape(b.shape(0), b.sizes(0)) && b.lies(0) == last || sameShape(b.shape(1), b.sizes(0)) && b.lies(1) == last {
		lay = last
	}
	return b.in(0, lay), b.in(1, lay), b.out(0, lay)
}
