package grad

import (
	"pare/kernel"
)

// stack is the work of sums of products of matrices: c[j] = Σ a·b over its terms, one
// task for every j.
type stack struct {
	m, n, k int
	terms   [][]int // of every c
	// operands are c[j] and the matrices of term i; a is transposed first if turned.
	operands func(j, i int) (c, a []float32, b kernel.Source)
	turned   bool
}

func (s *stack) work() work {
	g, err := kernel.NewGemm(kernel.GemmShape{M: s.m, N: s.n, K: s.k})
	if err != nil {
		panic(refusal{err})
	}
	size := kernel.PanelFloats(s.k, s.n)
	proto, err := kernel.NewPanels(s.k, s.n, make([]float32, size))
	if err != nil {
		panic(refusal{err})
	}
	turn := 0
	if s.turned {
		turn = rounded(s.m * s.k)
	}
	w := work{tasks: len(s.terms), scratch: rounded(size) + turn + g.ScratchFloats()}
	w.run = func(j int, scratch []float32) {
		p := *proto
		p.Over(scratch)
		t, rest := scratch[rounded(size):][:turn], scratch[rounded(size)+turn:]
		for k, i := range s.terms[j] {
			c, a, b := s.operands(j, i)
			if s.turned {
				kernel.Transpose(t, a, s.k, s.m)
				a = t
			}
			p.Pack(b)
			var e kernel.Epilogue
			if k > 0 {
				e.Residual = c
			}
			for task := range g.Tasks() {
				g.Run(task, c, a, &p, &e, rest)
			}
		}
		if len(s.terms[j]) == 0 {
			c, _, _ := s.operands(j, -1)
			clear(c)
		}
	}
	return w
}

// multiplyAll adds the step that makes y the products of pairs of matrices of two
// stacks, x and w.
func (b *builder) multiplyAll(p *product, x, w, y *slot, pairs [][2]int) {
	st := b.step([]*slot{x, w}, []*slot{y})
	xm, wm, ym := matrices(x.size(), p.m*p.k), matrices(w.size(), p.k*p.n), matrices(y.size(), p.m*p.n)
	st.then((&stack{m: p.m, n: p.n, k: p.k, terms: itself(len(pairs)), operands: func(_, i int) (c, a []float32, b kernel.Source) {
		return ym.of(y.data, i), xm.of(x.data, pairs[i][0]), p.source(wm.of(w.data, pairs[i][1]), false)
	}}).work())
	if st.wants(0) {
		st.uses(w)
		st.back((&stack{m: p.m, n: p.k, k: p.n, terms: termsOf(pairs, 0, xm.count), operands: func(j, i int) (c, a []float32, b kernel.Source) {
			c = xm.of(st.dx[0], j)
			if i < 0 {
				return
			}
			return c, ym.of(y.grad, i), p.source(wm.of(w.data, pairs[i][1]), true)
		}}).work())
	}
	if st.wants(1) {
		st.uses(x)
		s := &stack{m: p.k, n: p.n, k: p.m, turned: true, terms: termsOf(pairs, 1, wm.count)}
		if p.tb {
			s.m, s.n = p.n, p.k
		}
		s.operands = func(j, i int) (c, a []float32, b kernel.Source) {
			c = wm.of(st.dx[1], j)
			if i < 0 {
				return
			}
			a, right := xm.of(x.data, pairs[i][0]), ym.of(y.grad, i)
			if p.tb {
				a, right = right, a
			}
			return c, a, kernel.Source{Data: right, LD: s.n, Alpha: p.alpha}
		}
		st.back(s.work())
	}
}

// matrixStack is matrices of one size, one behind the other.
type matrixStack struct{ size, count int }

func matrices(all, size int) matrixStack { return matrixStack{size, all / max(1, size)} }

func (m matrixStack) of(data []float32, i int) []float32 { return data[i*m.size : (i+1)*m.size] }

// itself lists every index alone.
func itself(n int) [][]int {
	out := make([][]int, n)
	for i := range out {
		out[i] = []int{i}
	}
	return out
}

// termsOf lists the pairs that each of n matrices of one side is part of.
func termsOf(pairs [][2]int, side, n int) [][]int {
	out := make([][]int, n)
	for i, p := range pairs {
		out[p[side]] = append(out[p[side]], i)
	}
	return out
}

// scale is y = f·x.
func (b *builder) scale(x *slot, f float32, y *slot) {
	st := b.step([]*slot{x}, []*slot{y})
	st.then(span(y.size(), func(lo, hi int) { kernel.Mul.RunScalar(y.data[lo:hi], x.data[lo:hi], f) }))
	if st.wants(0) {
		st.back(span(y.size(), func(lo, hi int) { kernel.Mul.RunScalar(st.dx[0][lo:hi], y.grad[lo:hi], f) }))
	}
}
