package grad

import (
	"slices"

	"pare/kernel"
)

// lowerGemm is alpha·op(A)·op(B) + beta·C.
func lowerGemm(b *builder) error {
	x, c := b.in(0, plain), b.in(2, plain)
	if b.node.Int("transA", 0) != 0 {
		x = b.permuted(x, 1, 0)
	}
	y := b.out(0, plain)
	p := &product{m: y.shape[0], n: y.shape[1], k: x.shape[1], tb: b.node.Int("transB", 0) != 0}
	w, alpha, beta := b.in(1, plain), b.node.Float("alpha", 1), b.node.Float("beta", 1)
	row := c == nil || beta == 1 && len(c.shape) > 0 && c.shape[len(c.shape)-1] == p.n && c.size() == p.n
	if row && alpha == 1 {
		b.multiply(p, x, w, c, y)
		return nil
	}
	xw := b.newSlot(y.name, y.shape, plain)
	b.multiply(p, x, w, nil, xw)
	if c == nil {
		b.scale(xw, alpha, y)
		return nil
	}
	if alpha != 1 {
		scaled := b.newSlot(y.name, y.shape, plain)
		b.scale(xw, alpha, scaled)
		xw = scaled
	}
	b.addScaled(xw, b.expanded(2, y.shape, plain), beta, y)
	return nil
}

// addScaled is y = x + f·c, all alike.
func (b *builder) addScaled(x, c *slot, f float32, y *slot) {
	st := b.step([]*slot{x, c}, []*slot{y})
	st.passes(0)
	st.then(span(y.size(), func(lo, hi int) {
		d := y.data[lo:hi]
		kernel.Mul.RunScalar(d, c.data[lo:hi], f)
		kernel.Add.Run(d, d, x.data[lo:hi])
	}))
	if st.wants(1) {
		st.back(span(y.size(), func(lo, hi int) { kernel.Mul.RunScalar(st.dx[1][lo:hi], y.grad[lo:hi], f) }))
	}
}

// lowerMatMul is the product of matrices, of every pair of two stacks of them where
// operands have more axes; vectors count as a row or a column.
func lowerMatMul(b *builder) error {
	b.matMul(b.in(0, plain), b.in(1, plain), b.out(0, plain), false, 1)
	return nil
}

// matMul makes y the product of stacks of matrices, times alpha; with tb every matrix
// of w is transposed. All are plain.
func (b *builder) matMul(x, w, y *slot, tb bool, alpha float32) {
	xs, ws := matrixShape(x.shape, false), matrixShape(w.shape, true)
	p := &product{tb: tb, alpha: alpha}
	p.m, p.k, p.n = xs[len(xs)-2], xs[len(xs)-1], ws[len(ws)-1]
	if tb {
		p.n = ws[len(ws)-2]
	}
	if w.size() == p.k*p.n && alpha == 1 {
		p.m = x.size() / max(1, p.k)
		if p.k == 0 {
			refuse("a product of matrices without elements")
		}
		b.multiply(p, x, w, nil, y)
		return
	}
	b.multiplyAll(p, x, w, y, pairsOf(xs[:len(xs)-2], ws[:len(ws)-2]))
}

// matrixShape is the shape of an operand with the axis that a vector lacks.
func matrixShape(shape []int, right bool) []int {
	switch {
	case len(shape) > 1:
		return shape
	case right:
		return append(slices.Clone(shape), 1)
	}
	return append([]int{1}, shape...)
}

// pairsOf lists which matrices of two stacks are multiplied, for every one of the
// result.
func pairsOf(x, w []int) (pairs [][2]int) {
	rank := max(len(x), len(w))
	dims, steps := make([]int, rank), make([][2]int, rank)
	for i, s := range [2][]int{x, w} {
		step := 1
		for d := range s {
			at, n := rank-1-d, s[len(s)-1-d]
			if n != 1 {
				steps[at][i], dims[at] = step, n
			}
			dims[at] = max(dims[at], 1)
			step *= n
		}
	}
	pairs = [][2]int{{}}
	for d, n := range dims {
		next := make([][2]int, 0, len(pairs)*n)
		for _, p := range pairs {
			for i := range n {
				next = append(next, [2]int{p[0] + i*steps[d][0], p[1] + i*steps[d][1]})
			}
		}
		pairs = next
	}
	return pairs
}
