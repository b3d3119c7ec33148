package grad

// lowerGemm is alpha·A·B + beta·C.
func lowerGemm(b *builder) error {
	p := product{ta: b.node.Int("transA", 0) != 0, tb: b.node.Int("transB", 0) != 0,
		alpha: b.node.Float("alpha", 1), beta: b.node.Float("beta", 1)}
	return p.lower(b)
}

// lowerMatMul is the product of two matrices.
func lowerMatMul(b *builder) error {
	if len(b.shape(0)) != 2 || len(b.shape(1)) != 2 {
		return lowerReference(b)
	}
	p := product{alpha: 1}
	return p.lower(b)
}

// product is y = alpha·op(a)·op(b) + beta·c over matrices.
type product struct {
	ta, tb      bool
	alpha, beta float32
	m, n, k     int
}

func (p *product) lower(b *builder) error {
	x, w, c := b.in(0, plain), b.in(1, plain), b.in(2, plain)
	y := b.out(0, plain)
	p.m, p.n, p.k = y.shape[0], y.shape[1], x.shape[1]
	if p.ta {
		p.k = x.shape[0]
	}
	in := []*slot{x, w}
	if c != nil {
		in = append(in, c)
	}
	st := b.step(in, []*slot{y})
	var cs spreading
	if c != nil {
		cs = spread(c, y)
	}
	st.then(spanBy(p.m, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := range p.n {
				var s float32
				for k := range p.k {
					s += x.data[p.a(i, k)] * w.data[p.b(k, j)]
				}
				s *= p.alpha
				if c != nil {
					s += p.beta * c.data[cs.at(i*p.n+j)]
				}
				y.data[i*p.n+j] = s
			}
		}
	}))
	if st.wants(0) {
		st.uses(w)
		st.back(spanBy(p.m, 16, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for k := range p.k {
					var s float32
					for j := range p.n {
						s += y.grad[i*p.n+j] * w.data[p.b(k, j)]
					}
					st.dx[0][p.a(i, k)] = p.alpha * s
				}
			}
		}))
	}
	if st.wants(1) {
		st.uses(x)
		st.back(spanBy(p.k, 16, func(lo, hi int) {
			for k := lo; k < hi; k++ {
				for j := range p.n {
					var s float32
					for i := range p.m {
						s += x.data[p.a(i, k)] * y.grad[i*p.n+j]
					}
					st.dx[1][p.b(k, j)] = p.alpha * s
				}
			}
		}))
	}
	if st.wants(2) {
		st.back(cs.collect(func() []float32 { return st.dx[2] }, func(i int) float32 { return p.beta * y.grad[i] }))
	}
	return nil
}

// a is the place of element i, k of op(a), b that of element k, j of op(b).
func (p *product) a(i, k int) int {
	if p.ta {
		return k*p.m + i
	}
	return i*p.k + k
}

func (p *product) b(k, j int) int {
	if p.tb {
		return j*p.k + k
	}
	return k*p.n + j
}
