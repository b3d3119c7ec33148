package grad

import (
	"math"

	"pare/ir"
	"pare/kernel"
)

// curve is an element-wise function by loops over short slices of one length.
type curve struct {
	run func(y, x []float32)
	// slope sets dx from dy; t is as long and free to use.
	slope          func(dx, dy, x, y, t []float32)
	readsX, readsY bool
}

// lowerCurve lowers an element-wise function of operand 0 in its own layout.
func lowerCurve(make func(n *ir.Node) curve) func(b *builder) error {
	return func(b *builder) error {
		b.curve(b.in(0, either), make(b.node))
		return nil
	}
}

// curve makes result 0 the function of x.
func (b *builder) curve(x *slot, c curve) { b.curveTo(x, b.out(0, x.lay), c) }

// curveTo makes y, which lies as x does, the function of x.
func (b *builder) curveTo(x, y *slot, c curve) {
	st := b.step([]*slot{x}, []*slot{y})
	st.then(span(x.size(), func(lo, hi int) { c.run(y.data[lo:hi], x.data[lo:hi]) }))
	if !st.wants(0) {
		return
	}
	if c.readsX {
		st.uses(x)
	}
	if c.readsY {
		st.uses(y)
	}
	n := x.size()
	w := span(n, nil)
	w.scratch = chunk
	w.run = func(task int, t []float32) {
		hi := min(n, (task+1)*grain)
		for i := task * grain; i < hi; i += chunk {
			j := min(i+chunk, hi)
			c.slope(st.dx[0][i:j], y.grad[i:j], x.data[i:j], y.data[i:j], t[:j-i])
		}
	}
	st.back(w)
}

func absCurve(*ir.Node) curve {
	return curve{readsX: true, run: func(y, x []float32) {
		for i, v := range x {
			y[i] = float32(math.Abs(float64(v)))
		}
	}, slope: func(dx, dy, x, _, _ []float32) {
		for i, v := range x {
			dx[i] = sign(v) * dy[i]
		}
	}}
}

func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // zero or NaN
}

func negCurve(*ir.Node) curve {
	return curve{
		run:   func(y, x []float32) { kernel.Mul.RunScalar(y, x, -1) },
		slope: func(dx, dy, _, _, _ []float32) { kernel.Mul.RunScalar(dx, dy, -1) },
	}
}

func expCurve(*ir.Node) curve {
	return curve{readsY: true, run: kernel.Exp.Run, slope: func(dx, dy, _, y, _ []float32) { kernel.Mul.Run(dx, dy, y) }}
}

func sqrtCurve(*ir.Node) curve {
	return curve{readsY: true, run: kernel.Sqrt.Run, slope: func(dx, dy, _, y, t []float32) {
		kernel.Mul.RunScalar(t, y, 2)
		kernel.Div.Run(dx, dy, t)
	}}
}

func tanhCurve(*ir.Node) curve {
	return curve{readsY: true, run: kernel.Tanh.Run, slope: func(dx, dy, _, y, t []float32) {
		kernel.Mul.Run(t, y, y)
		kernel.Sub.RunScalarLeft(t, 1, t)
		kernel.Mul.Run(dx, dy, t)
	}}
}

func erfCurve(*ir.Node) curve {
	return curve{readsX: true, run: kernel.Erf.Run, slope: func(dx, dy, x, _, t []float32) {
		gauss(t, x, 1, 2/math.SqrtPi)
		kernel.Mul.Run(dx, dy, t)
	}}
}

// gauss writes height·e^(-f·x²).
func gauss(dst, x []float32, f, height float64) {
	kernel.Mul.Run(dst, x, x)
	kernel.Mul.RunScalar(dst, dst, float32(-f))
	kernel.Exp.Run(dst, dst)
	kernel.Mul.RunScalar(dst, dst, float32(height))
}

// geluCurve is x·Φ(x), or the approximation of it by tanh.
func geluCurve(n *ir.Node) curve {
	if n.Str("approximate", "none") == "tanh" {
		return tanhGelu()
	}
	return curve{readsX: true, run: kernel.GELU.Run, slope: func(dx, dy, x, _, t []float32) {
		gauss(t, x, 0.5, 1/math.Sqrt(2*math.Pi))
		kernel.Mul.Run(t, t, x)
		for i, v := range x {
			dx[i] = v * float32(1/math.Sqrt2)
		}
		kernel.Erf.Run(dx, dx)
		kernel.Affine(dx, dx, 0.5, 0.5, -inf, inf)
		kernel.Add.Run(dx, dx, t)
		kernel.Mul.Run(dx, dx, dy)
	}}
}

// The constants of the approximation x/2·(1+tanh(c·(x + k·x³))) of x·Φ(x).
const (
	geluCube  = 0.044715
	geluScale = 0.7978845608028654 // √(2/π)
)

func tanhGelu() curve {
	inner := func(t, x []float32) {
		for i, v := range x {
			t[i] = geluScale * v * (1 + geluCube*v*v)
		}
		kernel.Tanh.Run(t, t)
	}
	return curve{readsX: true, run: func(y, x []float32) {
		inner(y, x)
		for i, v := range x {
			y[i] = v * (0.5 + 0.5*y[i])
		}
	}, slope: func(dx, dy, x, _, t []float32) {
		inner(t, x)
		for i, v := range x {
			d := geluScale * (1 + 3*geluCube*v*v)
			dx[i] = dy[i] * (0.5 + 0.5*t[i] + 0.5*v*(1-t[i]*t[i])*d)
		}
	}}
}
