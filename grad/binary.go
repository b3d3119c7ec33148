package grad

import "pare/kernel"

// lowerBinary is an arithmetic operator of two operands with broadcasting.
func lowerBinary(f kernel.Binary) func(b *builder) error {
	return func(b *builder) error {
		if !b.dtype(0).IsFloat() {
			return lowerReference(b)
		}
		if f == kernel.Add && (b.addRow(0, 1) || b.addRow(1, 0)) {
			return nil
		}
		full := [2]bool{sameShape(b.shape(0), b.sizes(0)), sameShape(b.shape(1), b.sizes(0))}
		if full[0] == full[1] {
			in, z := b.alike(0, 1)
			b.arithmetic(f, in[0], in[1], z)
			return nil
		}
		small := 0
		if full[0] {
			small = 1
		}
		lay := b.lies(1 - small)
		s := b.atRank(small, len(b.sizes(0)), lay)
		b.spreadArithmetic(f, b.in(1-small, lay), s, b.out(0, lay), small)
		return nil
	}
}

// atRank is operand i with ones before its dimensions, in a layout.
func (b *builder) atRank(i, rank int, lay layout) *slot {
	if len(b.shape(i)) == rank {
		return b.in(i, lay)
	}
	x := b.in(i, plain)
	return b.inLayout(b.reshaped(x, ranked(x, rank)), lay)
}

// reshaped is the plain slot x with another shape.
func (b *builder) reshaped(x *slot, shape []int) *slot {
	y := b.newSlot(x.name, shape, plain)
	y.dtype = x.dtype
	b.step([]*slot{x}, []*slot{y}).views()
	return y
}

// arithmetic makes z of x and y, all of one shape and layout.
func (b *builder) arithmetic(f kernel.Binary, x, y, z *slot) {
	st := b.step([]*slot{x, y}, []*slot{z})
	least, most := -inf, inf
	st.then(span(z.size(), func(lo, hi int) { f.RunClamp(z.data[lo:hi], x.data[lo:hi], y.data[lo:hi], least, most) }))
	if f != kernel.Div { // whose gradient reads the result
		st.limit = func(lo, hi float32) { least, most = lo, hi }
	}
	for i := range 2 {
		s := partials[f][i]
		if s.dy {
			st.passes(i)
		} else if st.wants(i) {
			s.uses(st)
			st.back(span(z.size(), func(lo, hi int) { s.set(st, st.dx[i][lo:hi], lo, hi) }))
		}
	}
}

// slope is the gradient of one operand of z = f(x, y), by loops.
type slope struct {
	dy                  bool // it is that of the result
	readX, readY, readZ bool
	set                 func(st *step, d []float32, lo, hi int) // writes elements lo to hi
}

func (s slope) uses(st *step) {
	for i, x := range []*slot{st.in[0], st.in[1], st.out[0]} {
		if [...]bool{s.readX, s.readY, s.readZ}[i] {
			st.uses(x)
		}
	}
}

// partials lists the gradients of both operands of operators on arrays of one shape.
var partials = map[kernel.Binary][2]slope{
	kernel.Add: {{dy: true}, {dy: true}},
	kernel.Sub: {{dy: true}, {set: func(st *step, d []float32, lo, hi int) {
		kernel.Mul.RunScalar(d, st.out[0].grad[lo:hi], -1)
	}}},
	kernel.Mul: {
		{readY: true, set: func(st *step, d []float32, lo, hi int) {
			kernel.Mul.Run(d, st.out[0].grad[lo:hi], st.in[1].data[lo:hi])
		}},
		{readX: true, set: func(st *step, d []float32, lo, hi int) {
			kernel.Mul.Run(d, st.out[0].grad[lo:hi], st.in[0].data[lo:hi])
		}},
	},
	kernel.Div: {
		{readY: true, set: func(st *step, d []float32, lo, hi int) {
			kernel.Div.Run(d, st.out[0].grad[lo:hi], st.in[1].data[lo:hi])
		}},
		{readY: true, readZ: true, set: func(st *step, d []float32, lo, hi int) {
			kernel.Mul.Run(d, st.out[0].grad[lo:hi], st.out[0].data[lo:hi])
			kernel.Div.Run(d, d, st.in[1].data[lo:hi])
			kernel.Mul.RunScalar(d, d, -1)
		}},
	},
}

// addRow lets the step that makes operand i add operand k, a row that no step makes,
// where it can and nothing else reads what it makes.
func (b *builder) addRow(i, k int) bool {
	x, row := b.slots[b.node.In[i]], b.slots[b.node.In[k]]
	made := b.maker(x)
	if made == nil || made.biased == nil || row.param == nil && row.fixed == nil || !row.isFloat() {
		return false
	}
	n := x.shape[len(x.shape)-1]
	if !sameShape(x.shape, b.sizes(0)) || len(row.shape) == 0 || row.shape[len(row.shape)-1] != n || row.size() != n {
		return false
	}
	b.adopt(0, x)
	x.wants = x.wants || row.wants && b.needed[x.value]
	made.biased(row)
	made.biased = nil
	return true
}
