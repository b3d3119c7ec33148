package grad

import (
	"math"

	"pare/kernel"
	"pare/tensor"
)

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
