package grad

import "math"

// elements are those of one result of a reduction, in order.
type elements struct {
	f     *folding
	o     int
	x, dx []float32
}

// each calls f with the place of every element.
func (e elements) each(f func(at int)) {
	base, run := e.f.keep[e.o/e.f.width()]+e.o%e.f.width(), 1
	if e.f.rows {
		run = e.f.run
	}
	for _, r := range e.f.fold {
		for i := range run {
			f(base + r + i)
		}
	}
}

// lowerRanked lowers a reduction that looks at the elements of a result one by one:
// value is the result, slopes sets their gradients from it and its gradient.
func lowerRanked(value func(e elements) float32, slopes func(e elements, y, dy float32)) func(b *builder) error {
	return func(b *builder) error {
		f, x, y := b.reduction()
		if f == nil {
			return lowerReference(b)
		}
		st := b.step([]*slot{x}, []*slot{y})
		each := max(1, grain/max(1, f.count()))
		st.then(spanBy(y.size(), each, func(lo, hi int) {
			for o := lo; o < hi; o++ {
				y.data[o] = value(elements{f: f, o: o, x: x.data})
			}
		}))
		if st.wants(0) {
			st.uses(x, y)
			st.back(spanBy(y.size(), each, func(lo, hi int) {
				for o := lo; o < hi; o++ {
					slopes(elements{f, o, x.data, st.dx[0]}, y.data[o], y.grad[o])
				}
			}))
		}
		return nil
	}
}

func largest(e elements) float32 {
	m := -inf
	e.each(func(at int) {
		if !(e.x[at] <= m) {
			m = e.x[at]
		}
	})
	return m
}

func smallest(e elements) float32 {
	m := inf
	e.each(func(at int) {
		if !(e.x[at] >= m) {
			m = e.x[at]
		}
	})
	return m
}

// toFirst gives the gradient to the first element that is the result.
func toFirst(e elements, y, dy float32) {
	e.each(func(at int) {
		e.dx[at] = 0
		if e.x[at] == y {
			e.dx[at], dy = dy, 0
		}
	})
}

func productOf(e elements) float32 {
	p := 1.0
	e.each(func(at int) { p *= float64(e.x[at]) })
	return float32(p)
}

// toFactors multiplies by the product of all others.
func toFactors(e elements, _, dy float32) {
	zeros, others := 0, 1.0
	e.each(func(at int) {
		if v := float64(e.x[at]); v == 0 {
			zeros++
		} else {
			others *= v
		}
	})
	e.each(func(at int) {
		v, d := float64(e.x[at]), 0.0
		switch {
		case v == 0 && zeros == 1:
			d = others
		case v != 0 && zeros == 0:
			d = others / v
		}
		e.dx[at] = dy * float32(d)
	})
}

// logSumExp is the logarithm of the sum of exponentials.
func logSumExp(e elements) float32 {
	top := float64(largest(e))
	if math.IsInf(top, -1) {
		return -inf
	}
	sum := 0.0
	e.each(func(at int) { sum += math.Exp(float64(e.x[at]) - top) })
	return float32(top + math.Log(sum))
}

func toShares(e elements, y, dy float32) {
	e.each(func(at int) { e.dx[at] = dy * float32(math.Exp(float64(e.x[at]-y))) })
}
