package grad

import (
	"pare/kernel"
	"pare/tensor"
)

// newSlot makes a slot of floats.
func (l *lowering) newSlot(name string, shape []int, lay layout) *slot {
	if len(shape) < 3 {
		lay = plain
	}
	return &slot{name: name, shape: shape, lay: lay, dtype: tensor.Float32}
}

// inLayout is s in another layout, by a step where it lies otherwise; one
// conversion serves all readers.
func (l *lowering) inLayout(s *slot, want layout) *slot {
	if want == either || len(s.shape) < 3 || s.lay == want {
		return s
	}
	if c := l.turned[s]; c != nil {
		return c
	}
	c := l.newSlot(s.name, s.shape, want)
	c.dtype = s.dtype
	l.turned[s] = c
	l.turned[c] = s
	n, ch, px := s.shape[0], s.shape[1], tensor.Len(s.shape[2:])
	rows, cols := ch, px
	if want == plain {
		rows, cols = px, ch
	}
	if s.fixed != nil {
		c.fixed, c.data = s.fixed, make([]float32, s.size())
		for i := range n {
			kernel.Transpose(c.data[i*ch*px:], s.data[i*ch*px:], rows, cols)
		}
		return c
	}
	b := &builder{l, nil}
	st := b.step([]*slot{s}, []*slot{c})
	if ch == 1 || px == 1 {
		st.views()
		return c
	}
	st.then(spanBy(n, 1, func(i, _ int) {
		kernel.Transpose(c.data[i*ch*px:], s.data[i*ch*px:], rows, cols)
	}))
	if st.wants(0) {
		st.back(spanBy(n, 1, func(i, _ int) {
			kernel.Transpose(st.dx[0][i*ch*px:], c.grad[i*ch*px:], cols, rows)
		}))
	}
	return c
}
