package grad

// lowerReshape serves every operator that keeps the elements and their order.
func lowerReshape(b *builder) error {
	if !b.dtype(0).IsFloat() {
		return lowerReference(b)
	}
	x := b.in(0, plain)
	b.step([]*slot{x}, []*slot{b.out(0, plain)}).views()
	return nil
}

// lowerIdentity returns the operand as it lies.
func lowerIdentity(b *builder) error {
	if !b.dtype(0).IsFloat() {
		return lowerReference(b)
	}
	x := b.in(0, either)
	b.step([]*slot{x}, []*slot{b.out(0, x.lay)}).views()
	return nil
}
