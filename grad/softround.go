package grad

import "pare/kernel"

// lowerSoftRound lowers weights whose rounding is learned (AdaRound, [nagel20]).
func lowerSoftRound(b *builder) error {
	below, above, v, scale := b.in(0, plain), b.in(1, plain), b.in(2, plain), b.in(3, plain)
	if !sameShape(below.shape, v.shape) || !sameShape(above.shape, v.shape) {
		refuse("levels of shapes %v and %v for latents of shape %v", below.shape, above.shape, v.shape)
	}
	y := b.out(0, plain)
	st := b.step([]*slot{below, above, v, scale}, []*slot{y})
	s := b.scaled(st, v, scale, 3)
	hard := b.node.Int("hard", 0) != 0
	st.then(s.work(0, func(r *scaleRun, _ []float32) {
		h := y.data[r.lo : r.lo+r.n]
		rounding(h, v.data[r.lo:r.lo+r.n], hard)
		for i, h := range h {
			k := r.lo + i
			y.data[k] = scale.data[r.of(i)] * (below.data[k] + h*(above.data[k]-below.data[k]))
		}
	}))
	if st.wants(0) || st.wants(1) {
		refuse("the levels that SoftRound lies between have no gradient")
	}
	if !st.flows() {
		return nil
	}
	st.uses(below, above, v, scale, y)
	s.back(chunk, 1, func(r *scaleRun, t []float32) (sum float64) {
		for i := 0; i < r.n; i += chunk {
			n := min(chunk, r.n-i)
			kernel.Sigmoid.Run(t[:n], v.data[r.lo+i:][:n])
			for j, p := range t[:n] {
				k := r.lo + i + j
				f := scale.data[r.of(i+j)]
				if st.wants(2) {
					st.dx[2][k] = y.grad[k] * f * (above.data[k] - below.data[k]) * roundSlope(p)
				}
				sum += float64(y.grad[k] * y.data[k] / f)
			}
		}
		return sum
	}, func(i, p int) float64 { return float64(y.grad[i] * y.data[i] / scale.data[p]) })
	return nil
}

// rounding writes h(v), rounded if hard.
func rounding(h, v []float32, hard bool) {
	if !hard {
		kernel.Sigmoid.Run(h, v)
		kernel.Affine(h, h, roundSpan, roundLow, 0, 1)
		return
	}
	for i, x := range v {
		switch {
		case x >= 0:
			h[i] = 1
		case x < 0:
			h[i] = 0
		default:
			h[i] = x
		}
	}
}

// roundSlope is the derivative of h where its sigmoid is p.
func roundSlope(p float32) float32 {
	if h := p*roundSpan + roundLow; h <= 0 || h >= 1 {
		return 0
	}
	return roundSpan * p * (1 - p)
}
