package grad

import "pare/kernel"

// lowerExtreme lowers Min or Max of any number of operands. Of equal ones the first
// gets the gradient.
func lowerExtreme(f kernel.Binary) func(b *builder) error {
	return func(b *builder) error {
		if !b.dtype(0).IsFloat() {
			return lowerReference(b)
		}
		in, y := b.alike(b.every()...)
		st := b.step(in, []*slot{y})
		st.then(span(y.size(), func(lo, hi int) {
			copy(y.data[lo:hi], in[0].data[lo:hi])
			for _, x := range in[1:] {
				f.Run(y.data[lo:hi], y.data[lo:hi], x.data[lo:hi])
			}
		}))
		if !st.flows() {
			return nil
		}
		st.uses(append(in, y)...)
		st.back(span(y.size(), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				v, dy := y.data[i], y.grad[i]
				for k, x := range in {
					d := float32(0)
					if x.data[i] == v {
						d, dy = dy, 0
					}
					if st.wants(k) {
						st.dx[k][i] = d
					}
				}
			}
		}))
		return nil
	}
}

// lowerTotal lowers the sum or the mean of any number of operands.
func lowerTotal(mean bool) func(b *builder) error {
	return func(b *builder) error {
		in, y := b.alike(b.every()...)
		scale := float32(1)
		if mean {
			scale = 1 / float32(len(in))
		}
		st := b.step(in, []*slot{y})
		st.then(span(y.size(), func(lo, hi int) {
			d := y.data[lo:hi]
			copy(d, in[0].data[lo:hi])
			for _, x := range in[1:] {
				kernel.Add.Run(d, d, x.data[lo:hi])
			}
			kernel.Mul.RunScalar(d, d, scale)
		}))
		st.back(span(y.size(), func(lo, hi int) {
			for k := range in {
				if st.wants(k) {
					kernel.Mul.RunScalar(st.dx[k][lo:hi], y.grad[lo:hi], scale)
				}
			}
		}))
		return nil
	}
}
