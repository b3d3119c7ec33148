package grad

import (
	"pare/ir"
	"pare/kernel"
)

func leakyCurve(n *ir.Node) curve {
	a := n.Float("alpha", 0.01)
	return curve{readsX: true, run: func(y, x []float32) {
		for i, v := range x {
			if v < 0 {
				v *= a
			}
			y[i] = v
		}
	}, slope: func(dx, dy, x, _, _ []float32) {
		for i, v := range x {
			d := dy[i]
			if v < 0 {
				d *= a
			}
			dx[i] = d
		}
	}}
}

func sigmoidCurve(*ir.Node) curve {
	return curve{readsY: true, run: kernel.Sigmoid.Run, slope: func(dx, dy, _, y, t []float32) {
		kernel.Sub.RunScalarLeft(t, 1, y)
		kernel.Mul.Run(t, t, y)
		kernel.Mul.Run(dx, dy, t)
	}}
}

func hardSigmoidCurve(n *ir.Node) curve {
	a, b := n.Float("alpha", 0.2), n.Float("beta", 0.5)
	return curve{readsY: true, run: func(y, x []float32) { kernel.HardSigmoid(y, x, a, b) },
		slope: func(dx, dy, _, y, _ []float32) {
			for i, v := range y {
				d := dy[i] * a
				if !(v > 0 && v < 1) {
					d = 0
				}
				dx[i] = d
			}
		}}
}

func hardSwishCurve(*ir.Node) curve {
	return curve{readsX: true, run: kernel.HardSwish.Run, slope: func(dx, dy, x, _, _ []float32) {
		for i, v := range x {
			switch {
			case v <= -3:
				dx[i] = 0
			case v >= 3:
				dx[i] = dy[i]
			default:
				dx[i] = dy[i] * (v/3 + 0.5)
			}
		}
	}}
}

// lowerPRelu is Relu with a slope, which is broadcast, below zero.
func lowerPRelu(b *builder) error {
	in, y := b.alike(0, 1)
	x, a := in[0], in[1]
	st := b.step(in, []*slot{y})
	st.then(span(y.size(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			v := x.data[i]
			if v < 0 {
				v *= a.data[i]
			}
			y.data[i] = v
		}
	}))
	if !st.flows() {
		return nil
	}
	st.uses(x, a)
	st.back(span(y.size(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			v, dx, da := x.data[i], y.grad[i], float32(0)
			if v < 0 {
				dx, da = dx*a.data[i], dx*v
			}
			if st.wants(0) {
				st.dx[0][i] = dx
			}
			if st.wants(1) {
				st.dx[1][i] = da
			}
		}
	}))
	return nil
}
