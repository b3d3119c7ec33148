package main

// spread is the transform of the gradient of one tile of the result, the transpose of
// the output transform.
func (f form) spread() net {
	n := net{name: "Spread", doc: "transforms a tile of the gradient of the result.", in: f.m, out: f.m + 2, line: spread2,
		parts: map[bool][][]int{true: {{0, 1, 2, 3}}, false: {{0, 1}, {2, 3}}}}
	if f.m == 4 {
		n.line, n.parts = spread4, map[bool][][]int{true: {{0, 1, 2}, {3, 4, 5}}, false: {{1, 2}, {3, 4}, {0, 5}}}
		n.held = []float32{p, q, p * p, q * q, p * p * p, q * q * q}
	}
	return n
}

// gather is the transform of sums of products to the gradient of filters, the transpose
// of the filter transform.
func (f form) gather() net {
	n := net{name: "Gather", doc: "transforms sums to the gradient of filters.", in: f.m + 2, out: 3, line: gather2,
		parts: map[bool][][]int{true: {{0, 1, 2}}, false: {{0}, {1}, {2}}}}
	if f.m == 4 {
		n.line = gather4
	}
	return n
}

// spread4 evaluates a line, as a polynomial, at the points.
func spread4(e *emitter, want []int, d source, to sink) {
	if has(want, 0) {
		to(0, e.sum(d(0), 0, nil))
	}
	pair := func(i int, x float32) {
		even, odd := e.sum(d(0), x*x, d(2)), e.times(x, d(1))
		e.add(odd, x*x*x, d(3))
		to(i, e.sum(even, 1, odd))
		e.add(even, -1, odd)
		to(i+1, even)
	}
	if has(want, 1, 2) {
		pair(1, p)
	}
	if has(want, 3, 4) {
		pair(3, q)
	}
	if has(want, 5) {
		to(5, e.sum(d(3), 0, nil))
	}
}

// The factors of the filter transform: one over the product of the differences of a
// point and all others.
const (
	factor0 = 1 / (p * p * q * q)
	factorP = 1 / (2 * p * p * (p*p - q*q))
	factorQ = 1 / (2 * q * q * (q*q - p*p))
)

func gather4(e *emitter, want []int, d source, to sink) {
	if has(want, 0, 2) {
		s, t := e.sum(d(1), 1, d(2)), e.sum(d(3), 1, d(4))
		if has(want, 0) {
			v := e.times(factor0, d(0))
			e.add(v, factorP, s)
			e.add(v, factorQ, t)
			to(0, v)
		}
		if has(want, 2) {
			v := e.sum(d(5), factorP*p*p, s)
			e.add(v, factorQ*q*q, t)
			to(2, v)
		}
	}
	if has(want, 1) {
		v := e.times(factorP*p, e.sum(d(1), -1, d(2)))
		e.add(v, factorQ*q, e.sum(d(3), -1, d(4)))
		to(1, v)
	}
}

// spread2 and gather2 have the points 0, ±1 and infinity.
func spread2(e *emitter, want []int, d source, to sink) {
	for _, i := range want {
		if i == 0 || i == 3 {
			to(i, e.sum(d(i/3), 0, nil))
			continue
		}
		to(i, e.sum(d(0), [2]float32{1, -1}[i-1], d(1)))
	}
}

func gather2(e *emitter, want []int, d source, to sink) {
	for _, i := range want {
		half := e.times(0.5, e.sum(d(1), [3]float32{1, -1, 1}[i], d(2)))
		switch i {
		case 0:
			e.add(half, -1, d(0))
		case 2:
			e.add(half, 1, d(3))
		}
		to(i, half)
	}
}
