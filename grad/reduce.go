package grad

import (
	"math"
	"slices"

	"pare/kernel"
)

// reducer is a reduction that is a function of a sum.
type reducer struct {
	mean bool
	pre  func(t, x []float32) // what is summed; nil for the elements
	post func(y []float32)    // of the sum
	// slope turns dx, which holds the gradient of the result at every element, into
	// that of x; y is the result at every element where readsY. Nil keeps it.
	slope          func(dx, x, y []float32)
	readsX, readsY bool
}

// lowerReduce lowers a reduction over axes.
func lowerReduce(r reducer) func(b *builder) error {
	return func(b *builder) error {
		f, x, y := b.reduction()
		if f == nil {
			return lowerReference(b)
		}
		scale := float32(1)
		if r.mean {
			scale = 1 / float32(f.count())
		}
		st := b.step([]*slot{x}, []*slot{y})
		st.then(f.sum(func() []float32 { return y.data }, func() []float32 { return x.data }, scale, r.pre))
		if r.post != nil {
			st.then(span(y.size(), func(lo, hi int) { r.post(y.data[lo:hi]) }))
		}
		if st.wants(0) {
			r.back(st, f, scale)
		}
		return nil
	}
}

// back adds the backward works of a reduction of x to y.
func (r *reducer) back(st *step, f *folding, scale float32) {
	x, y := st.in[0], st.out[0]
	if r.readsX {
		st.uses(x)
	}
	dx := func() []float32 { return st.dx[0] }
	st.back(f.repeat(dx, func() []float32 { return y.grad }, scale))
	if r.slope == nil {
		return
	}
	var all *buffer
	if r.readsY {
		st.uses(y)
		all = st.temp(x.size())
		st.back(f.repeat(func() []float32 { return all.data }, func() []float32 { return y.data }, 1))
	}
	st.back(span(x.size(), func(lo, hi int) {
		var every []float32
		if all != nil {
			every = all.data[lo:hi]
		}
		r.slope(st.dx[0][lo:hi], x.data[lo:hi], every)
	}))
}

// reduction is the operand and the result of a reduction and what relates them; nil
// where its axes are not known before running or there is nothing to reduce.
func (b *builder) reduction() (*folding, *slot, *slot) {
	axes, known := b.axes(1)
	shape := b.shape(0)
	if !known || slices.Contains(shape, 0) {
		return nil, nil, nil
	}
	if len(axes) == 0 && b.node.Int("noop_with_empty_axes", 0) == 0 {
		for i := range shape {
			axes = append(axes, i)
		}
	}
	folded := make([]bool, len(shape))
	for _, a := range axes {
		if a < -len(shape) || a >= len(shape) {
			refuse("axis %d is outside a tensor of rank %d", a, len(shape))
		}
		folded[(a+len(shape))%len(shape)] = true
	}
	lay := b.lies(0)
	if b.node.Int("keepdims", 1) == 0 && len(shape) > 2 && slices.Contains(folded[2:], false) {
		lay = plain
	}
	x := b.in(0, lay)
	f := foldingOf(x.dims(), lieBools(folded, x.lay))
	return &f, x, b.out(0, lay)
}

// axes is operand i, or the attribute of older schemas.
func (b *builder) axes(i int) (axes []int, known bool) {
	if !b.has(i) {
		return b.node.Ints("axes"), true
	}
	return b.ints(i)
}

// lieBools is lie for a property of axes.
func lieBools(of []bool, l layout) []bool {
	index := make([]int, len(of))
	for i := range index {
		index[i] = i
	}
	out := make([]bool, len(of))
	for i, k := range lie(index, l) {
		out[i] = of[k]
	}
	return out
}

var (
	sumReducer  = reducer{}
	meanReducer = reducer{mean: true}
	l1Reducer   = reducer{readsX: true, pre: func(t, x []float32) {
		for i, v := range x {
			t[i] = float32(math.Abs(float64(v)))
		}
	}, slope: func(dx, x, _ []float32) {
		for i, v := range x {
			dx[i] *= sign(v)
		}
	}}
	squareReducer = reducer{readsX: true, pre: square, slope: func(dx, x, _ []float32) {
		kernel.Mul.Run(dx, dx, x)
		kernel.Mul.RunScalar(dx, dx, 2)
	}}
	l2Reducer = reducer{readsX: true, readsY: true, pre: square, post: func(y []float32) { kernel.Sqrt.Run(y, y) },
		slope: func(dx, x, y []float32) {
			for i, v := range x {
				if y[i] > 0 {
					dx[i] *= v / y[i]
				} else {
					dx[i] = 0
				}
			}
		}}
	logReducer = reducer{readsY: true, post: logs, slope: func(dx, _, y []float32) {
		kernel.Exp.Run(y, y)
		kernel.Div.Run(dx, dx, y)
	}}
)

func square(t, x []float32) { kernel.Mul.Run(t, x, x) }

func logs(y []float32) {
	for i, v := range y {
		y[i] = float32(math.Log(float64(v)))
	}
}
