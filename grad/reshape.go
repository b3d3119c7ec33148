package grad

// lowerReshape serves every operator that keeps the elements and their order.
func lowerReshape(b *builder) error {
	x := b.in(0, plain)
	y := b.out(0, plain)
	st := b.step([]*slot{x}, []*slot{y})
	st.then(span(x.size(), func(lo, hi int) { copy(y.data[lo:hi], x.data[lo:hi]) }))
	if st.wants(0) {
		st.back(span(x.size(), func(lo, hi int) { copy(st.dx[0][lo:hi], y.grad[lo:hi]) }))
	}
	return nil
}
