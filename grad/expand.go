package grad

// lowerExpand repeats operand 0 along axes of the result.
func lowerExpand(b *builder) error {
	lay := plain
	if len(b.shape(0)) == len(b.sizes(0)) {
		lay = b.lies(0)
	}
	b.expand(b.in(0, lay), b.out(0, lay))
	return nil
}

// expand makes y, in the same layout as x where ranks agree and plain else, x
// repeated.
func (b *builder) expand(x, y *slot) {
	f := expansion(y.dims(), ranked(x, len(y.shape)))
	st := b.step([]*slot{x}, []*slot{y})
	st.then(f.repeat(func() []float32 { return y.data }, func() []float32 { return x.data }, 1))
	if st.wants(0) {
		st.back(f.sum(func() []float32 { return st.dx[0] }, func() []float32 { return y.grad }, 1, nil))
	}
}

// ranked is the dimensions of x with ones in front.
func ranked(x *slot, rank int) []int {
	dims := make([]int, rank-len(x.shape), rank)
	for i := range dims {
		dims[i] = 1
	}
	return append(dims, x.dims()...)
}

// expanded is operand i as a slot like the given one, of which it keeps the layout.
func (b *builder) expanded(i int, shape []int, lay layout) *slot {
	if len(b.shape(i)) == len(shape) {
		x := b.in(i, lay)
		if sameShape(x.shape, shape) {
			return x
		}
		y := b.newSlot(x.name, shape, lay)
		b.expand(x, y)
		return y
	}
	x := b.in(i, plain)
	y := b.newSlot(x.name, shape, plain)
	b.expand(x, y)
	return b.inLayout(y, lay)
}

// alike is the listed operands, repeated to the shape of result 0, and that result,
// all in one layout.
func (b *builder) alike(operands ...int) (in []*slot, y *slot) {
	shape, lay := b.sizes(0), plain
	for _, i := range operands {
		if b.lies(i) == last && sameShape(b.shape(i), shape) {
			lay = last
		}
	}
	for _, i := range operands {
		in = append(in, b.expanded(i, shape, lay))
	}
	return in, b.out(0, lay)
}

// every is the positions of all operands.
func (b *builder) every() []int {
	list := make([]int, len(b.node.In))
	for i := range list {
		list[i] = i
	}
	return list
}
