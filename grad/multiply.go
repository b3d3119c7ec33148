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
	in := []*slot{x, w}
	if c != nil {
		in = append(in, c)
	}
	st := b.step(in, []*slot{y})
	right, pack := st.packed(p.k, p.n, func() kernel.Source { return p.source(w.data, false) })
	st.then(pack...)
	st.then(runGemm(p.m, p.n, p.k, right, func() (out, a, bias []float32) {
		if c != nil {
			bias = c.data
		}
		return y.data, x.data, bias
	}))
	if st.wants(0) {
		st.uses(w)
		right, pack := st.packed(p.n, p.k, func() kernel.Source { return p.source(w.data, true) })
		st.back(pack...)
		st.back(runGemm(p.m, p.k, p.n, right, func() (out, a, bias []float32) { return st.dx[0], y.grad, nil }))
	}
	if st.wants(1) {
		st.uses(x)
		p.weights(st, x, y)
	}
	if st.wants(2) {
		f := foldingOf([]int{p.m, p.n}, []bool{true, false})
		st.back(f.sum(func() []float32 { return st.dx[2] }, func() []float32 { return y.grad }, 1, nil))
	}
}

// runGemm is the work of c = a·right + bias.
func runGemm(m, n, k int, right *panels, operands func() (c, a, bias []float32)) work {
	g, err := kernel.NewGemm(kernel.GemmShape{M: m, N: n, K: k})
	if err != nil {
		panic(refusal{err})
	}
	return work{tasks: g.Tasks(), scratch: g.ScratchFloats(), run: func(task int, scratch []float32) {
		c, a, bias := operands()
		g.Run(task, c, a, right.p, &kernel.Epilogue{Bias: bias}, scratch)
	}}
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
