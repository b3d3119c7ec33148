package grad

import (
	"math"

	"pare/ir"
)

// pair is a function of one number and its derivative.
type pair struct{ f, d func(x float64) float64 }

// lowerScalar lowers an element-wise function that no kernel computes: number by
// number, in float64.
func lowerScalar(make func(n *ir.Node) pair) func(b *builder) error {
	return lowerCurve(func(n *ir.Node) curve { return curveOf(make(n)) })
}

// curveOf is the curve of a pair.
func curveOf(p pair) curve {
	return curve{readsX: true, run: func(y, x []float32) {
		for i, v := range x {
			y[i] = float32(p.f(float64(v)))
		}
	}, slope: func(dx, dy, x, _, _ []float32) {
		for i, v := range x {
			dx[i] = float32(float64(dy[i]) * p.d(float64(v)))
		}
	}}
}

func fixed(f, d func(x float64) float64) func(*ir.Node) pair {
	return func(*ir.Node) pair { return pair{f, d} }
}

var (
	acosPair       = fixed(math.Acos, func(x float64) float64 { return -1 / math.Sqrt(1-x*x) })
	acoshPair      = fixed(math.Acosh, func(x float64) float64 { return 1 / math.Sqrt(x*x-1) })
	asinPair       = fixed(math.Asin, func(x float64) float64 { return 1 / math.Sqrt(1-x*x) })
	asinhPair      = fixed(math.Asinh, func(x float64) float64 { return 1 / math.Sqrt(x*x+1) })
	atanPair       = fixed(math.Atan, func(x float64) float64 { return 1 / (1 + x*x) })
	atanhPair      = fixed(math.Atanh, func(x float64) float64 { return 1 / (1 - x*x) })
	cosPair        = fixed(math.Cos, func(x float64) float64 { return -math.Sin(x) })
	coshPair       = fixed(math.Cosh, math.Sinh)
	logPair        = fixed(math.Log, func(x float64) float64 { return 1 / x })
	reciprocalPair = fixed(func(x float64) float64 { return 1 / x }, func(x float64) float64 { return -1 / (x * x) })
	sinPair        = fixed(math.Sin, math.Cos)
	sinhPair       = fixed(math.Sinh, math.Cosh)
	softplusPair   = fixed(softplus, sigmoid)
	tanPair        = fixed(math.Tan, func(x float64) float64 { t := math.Tan(x); return 1 + t*t })
	softsignPair   = fixed(
		func(x float64) float64 { return x / (1 + math.Abs(x)) },
		func(x float64) float64 { d := 1 + math.Abs(x); return 1 / (d * d) })
	mishPair = fixed(
		func(x float64) float64 { return x * math.Tanh(softplus(x)) },
		func(x float64) float64 {
			t := math.Tanh(softplus(x))
			return t + x*(1-t*t)*sigmoid(x)
		})
)

func sigmoid(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// softplus is ln(1+e^x).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// bent is right above 0 and low below.
func bent(right, rightSlope float64, low, lowSlope func(x float64) float64) pair {
	return pair{func(x float64) float64 {
		if x > 0 {
			return right * x
		}
		return low(x)
	}, func(x float64) float64 {
		if x > 0 {
			return rightSlope
		}
		return lowSlope(x)
	}}
}

func eluPair(n *ir.Node) pair {
	a := float64(n.Float("alpha", 1))
	return bent(1, 1, func(x float64) float64 { return a * math.Expm1(x) }, func(x float64) float64 { return a * math.Exp(x) })
}

func celuPair(n *ir.Node) pair {
	a := float64(n.Float("alpha", 1))
	return bent(1, 1, func(x float64) float64 { return a * math.Expm1(x/a) }, func(x float64) float64 { return math.Exp(x / a) })
}

func seluPair(n *ir.Node) pair {
	a, g := float64(n.Float("alpha", 1.6732632)), float64(n.Float("gamma", 1.0507010))
	return bent(g, g, func(x float64) float64 { return g * a * math.Expm1(x) }, func(x float64) float64 { return g * a * math.Exp(x) })
}

func thresholdedReluPair(n *ir.Node) pair {
	a := float64(n.Float("alpha", 1))
	return pair{func(x float64) float64 {
		if x > a {
			return x
		}
		return 0
	}, func(x float64) float64 {
		if x > a {
			return 1
		}
		return 0
	}}
}

func shrinkPair(n *ir.Node) pair {
	bias, lambda := float64(n.Float("bias", 0)), float64(n.Float("lambd", 0.5))
	return pair{func(x float64) float64 {
		switch {
		case x < -lambda:
			return x + bias
		case x > lambda:
			return x - bias
		}
		return 0
	}, func(x float64) float64 {
		if math.Abs(x) > lambda {
			return 1
		}
		return 0
	}}
}

// swish is x·sigmoid(a·x).
func swish(a float64) pair {
	return pair{func(x float64) float64 { return x * sigmoid(a*x) }, func(x float64) float64 {
		s := sigmoid(a * x)
		return s + a*x*s*(1-s)
	}}
}

func swishPair(n *ir.Node) pair { return swish(float64(n.Float("alpha", 1))) }

func quickGeluPair(n *ir.Node) pair { return swish(float64(n.Float("alpha", 1.702))) }

func signOf(x float64) float64 { return float64(sign(float32(x))) }

// lowerStill lowers functions that are constant wherever they have a slope.
func lowerStill(f func(x float64) float64) func(b *builder) error {
	return lowerScalar(func(*ir.Node) pair { return pair{f, func(float64) float64 { return 0 }} })
}
