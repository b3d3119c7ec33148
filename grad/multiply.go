package grad

import "pare/kernel"

// product is y[m, n] = alpha·x[m, k]·op(w), where op(w) is w[k, n], or w[n, k]
// transposed if tb.
type product struct {
	m, n, k int
	tb      bool
	alpha   float32
}

// source is op(w), transposed once more if back.
func (p *product) source(w []float32, back bool) kernel.Source {
	s := kernel.Source{Data: w, LD: p.n, Trans: p.tb != back, Alpha: p.alpha}
	if p.tb {
		s.LD = p.k
	}
	return s
}

// panels are the right-hand side of a product in memory of a step.
type panels struct {
	k, n int
	buf  *buffer
	p    *kernel.Panels
}

// bind makes the panels use the buffer where it lies now.
func (p *panels) bind() {
	if p.p != nil {
		p.p.Over(p.buf.data)
		return
	}
	p.p, _ = kernel.NewPanels(p.k, p.n, p.buf.data) // sizes fit
}

// packed returns the works that pack source() for products with k rows and n columns.
func (st *step) packed(k, n int, source func() kernel.Source) (*panels, []work) {
	p := &panels{k: k, n: n, buf: st.temp(kernel.PanelFloats(k, n))}
	bind := serial(p.bind)
	tasks := max(1, n/panelColumns)
	fill := work{tasks: tasks, run: func(task int, _ []float32) {
		p.p.PackRange(task*p.p.Count()/tasks, (task+1)*p.p.Count()/tasks, source())
	}}
	return p, []work{bind, fill}
}

// panelColumns is how many columns one task packs.
const panelColumns = 128

// multiply adds the step of a product of two matrices; c is nil or a row added to all.
// alpha is 1.
func (b *builder) multiply(p *product, x, w, c, y *slot) {
	st := b.step([]*slot{x, w}, []*slot{y})
	g, err := kernel.NewGemm(kernel.GemmShape{M: p.m, N: p.n, K: p.k})
	if err != nil {
		panic(refusal{err})
	}
	var row *slot
	right, pack := st.packed(p.k, p.n, func() kernel.Source { return p.source(w.data, false) })
	st.then(pack...)
	st.then(work{tasks: g.Tasks(), scratch: g.ScratchFloats(), run: func(task int, scratch []float32) {
		var e kernel.Epilogue
		if row != nil {
			e.Bias = row.data
		}
		g.Run(task, y.data, x.data, right.p, &e, scratch)
	}})
	st.biased = func(c *slot) {
		row = c
		p.bias(st, c)
	}
	if st.wants(0) {
		st.uses(w)
		p.inputs(st, w, y)
	}
	if st.wants(1) {
		st.uses(x)
		p.weights(st, x, y)
	}
	if c != nil {
		y.wants = y.wants || c.wants && (y.value == nil || b.needed[y.value])
		st.biased(c)
		st.biased = nil
	}
}

// bias adds operand 2, the row c, whose gradient is a sum over rows.
func (p *product) bias(st *step, c *slot) {
	st.operand(c)
	if st.wants(2) {
		f := foldingOf([]int{p.m, p.n}, []bool{true, false})
		st.back(f.sum(func() []float32 { return st.dx[2] }, func() []float32 { return st.out[0].grad }, 1, nil))
	}
}

// inputs adds the works of dx = dy·op(w)ᵀ.
func (p *product) inputs(st *step, w, y *slot) {
	g, err := kernel.NewGemm(kernel.GemmShape{M: p.m, N: p.k, K: p.n})
	if err != nil {
		panic(refusal{err})
	}
	right, pack := st.packed(p.n, p.k, func() kernel.Source { return p.source(w.data, true) })
	st.back(pack...)
	st.accumulates(0)
	st.back(work{tasks: g.Tasks(), scratch: g.ScratchFloats(), run: func(task int, scratch []float32) {
		var e kernel.Epilogue
		if st.adding[0] {
			e.Residual = st.dx[0]
		}
		g.Run(task, st.dx[0], y.grad, right.p, &e, scratch)
	}})
}

// weights adds the works of dw = xᵀ·dy, or its transpose if tb.
func (p *product) weights(st *step, x, y *slot) {
	g := p.outer()
	part := st.temp(g.PartialFloats())
	dw := func() []float32 { return st.dx[1] }
	st.back(work{tasks: g.Tasks(), scratch: g.ScratchFloats(), run: func(task int, scratch []float32) {
		a, c := p.sides(x.data, y.grad)
		g.Run(task, part.data, a, c, false, scratch)
	}})
	st.accumulates(1)
	st.back(serial(func() {
		if !st.adding[1] {
			clear(dw())
		}
	}))
	st.back(work{tasks: g.SumTasks(), scratch: g.SumFloats(), run: func(task int, scratch []float32) {
		g.Sum(task, dw(), nil, part.data, scratch)
	}})
}

// outer plans the sums of outer products of rows: those of a convolution by 1x1
// filters, whose pixels are the rows.
func (p *product) outer() *kernel.ConvWeightGrad {
	s := kernel.ConvShape{N: 1, H: p.m, W: 1, C: p.n, KH: 1, KW: 1, O: p.k}
	if p.tb {
		s.C, s.O = p.k, p.n
	}
	g, err := kernel.NewConvWeightGrad(s)
	if err != nil {
		panic(refusal{err})
	}
	return g
}

// sides are the sources of outer, in its order.
func (p *product) sides(x, dy []float32) (a, c []float32) {
	if p.tb {
		return x, dy
	}
	return dy, x
}
