package grad

import (
	"math"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

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

// lowerPow is x^p. The gradient of p is 0 where x is not positive.
func lowerPow(b *builder) error {
	if p := b.constant(1); p != nil && p.Len() == 1 && len(p.Shape) <= len(b.shape(0)) {
		b.curve(b.in(0, either), powerCurve(tensor.Float64s(p)[0]))
		return nil
	}
	if !b.dtype(1).IsFloat() {
		return lowerReference(b)
	}
	in, y := b.alike(0, 1)
	x, p := in[0], in[1]
	st := b.step(in, []*slot{y})
	st.then(span(y.size(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y.data[i] = float32(math.Pow(float64(x.data[i]), float64(p.data[i])))
		}
	}))
	if !st.flows() {
		return nil
	}
	st.uses(x, p, y)
	st.back(span(y.size(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			v, e := float64(x.data[i]), float64(p.data[i])
			if st.wants(0) {
				st.dx[0][i] = y.grad[i] * float32(powSlope(v, e))
			}
			if st.wants(1) {
				st.dx[1][i] = 0
				if v > 0 {
					st.dx[1][i] = y.grad[i] * y.data[i] * float32(math.Log(v))
				}
			}
		}
	}))
	return nil
}

func powSlope(x, p float64) float64 {
	if p == 0 {
		return 0
	}
	return p * math.Pow(x, p-1)
}

// powerCurve is x^p of one p.
func powerCurve(p float64) curve {
	if p == 2 {
		return curve{readsX: true, run: square, slope: func(dx, dy, x, _, _ []float32) {
			kernel.Mul.Run(dx, dy, x)
			kernel.Mul.RunScalar(dx, dx, 2)
		}}
	}
	return curveOf(pair{func(x float64) float64 { return math.Pow(x, p) }, func(x float64) float64 { return powSlope(x, p) }})
}

// lowerWhere chooses between operands 1 and 2.
func lowerWhere(b *builder) error {
	c, y := b.in(0, plain), b.out(0, plain)
	x, z := b.expanded(1, y.shape, plain), b.expanded(2, y.shape, plain)
	st := b.step([]*slot{c, x, z}, []*slot{y})
	at := spread(c, y)
	chosen := func() []bool { return tensor.Data[bool](c.other.(*tensor.Tensor)) }
	st.then(span(y.size(), func(lo, hi int) {
		first := chosen()
		for i := lo; i < hi; i++ {
			y.data[i] = z.data[i]
			if first[at.at(i)] {
				y.data[i] = x.data[i]
			}
		}
	}))
	if !st.flows() {
		return nil
	}
	st.back(span(y.size(), func(lo, hi int) {
		first := chosen()
		for i := lo; i < hi; i++ {
			for k := 1; k < 3; k++ {
				if !st.wants(k) {
					continue
				}
				st.dx[k][i] = 0
				if first[at.at(i)] == (k == 1) {
					st.dx[k][i] = y.grad[i]
				}
			}
		}
	}))
	return nil
}

// lowerStill lowers functions that are constant wherever they have a slope.
func lowerStill(f func(x float64) float64) func(b *builder) error {
	return lowerScalar(func(*ir.Node) pair { return pair{f, func(float64) float64 { return 0 }} })
}
