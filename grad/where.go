package grad

import "pare/tensor"

// lowerWhere chooses between operands 1 and 2.
func lowerWhere(b *builder) error {
	c, y := b.in(0, plain), b.out(0, plain)
	x, z := b.expanded(1, y.shape, plain), b.expanded(2, y.shape, plain)
	st := b.step([]*slot{c, x, z}, []*slot{y})
	w := &where{expansion(y.dims(), ranked(c, len(y.shape))), c}
	st.then(w.each(func(lo, hi int, first bool) {
		from := z
		if first {
			from = x
		}
		copy(y.data[lo:hi], from.data[lo:hi])
	}))
	if !st.flows() {
		return nil
	}
	st.back(w.each(func(lo, hi int, first bool) {
		for k := 1; k < 3; k++ {
			switch {
			case !st.wants(k):
			case first == (k == 1):
				copy(st.dx[k][lo:hi], y.grad[lo:hi])
			default:
				clear(st.dx[k][lo:hi])
			}
		}
	}))
	return nil
}

// where is a condition that is repeated to the shape of a result.
type where struct {
	folding
	c *slot
}

// each calls f for every run of elements of the result with one truth value.
func (w *where) each(f func(lo, hi int, first bool)) work {
	parts := len(w.keep) * len(w.fold)
	return spanBy(parts, max(1, grain/max(1, w.run)), func(from, to int) {
		c := tensor.Data[bool](w.c.other.(*tensor.Tensor))
		for i := from; i < to; i++ {
			o := i / len(w.fold)
			at := w.keep[o] + w.fold[i%len(w.fold)]
			if w.rows {
				f(at, at+w.run, c[o])
				continue
			}
			own := c[o*w.run : (o+1)*w.run]
			for k := 0; k < w.run; {
				n := k + 1
				for n < w.run && own[n] == own[k] {
					n++
				}
				f(at+k, at+n, own[k])
				k = n
			}
		}
	})
}
