package kernel

import "math"

// The coefficients below interpolate in Chebyshev nodes on the interval where
// each is used, rounded to float32; assembly uses the same ones with fused
// multiply-adds, and one of its own for SiLU (TestUnary holds all to the bounds).

// expPoly is (eʳ-1-r)/r² in r for |r| ≤ ln2/2.
var expPoly = [6]float32{0.5, 1.666666716e-01, 4.166646674e-02, 8.333310485e-03, 1.393364160e-03, 1.989098091e-04}

// tanhPoly is (tanh(x)/x-1)/x² in x² for |x| < tanhSmall.
var tanhPoly = [6]float32{-3.333333433e-01, 1.333330423e-01, -5.395925790e-02, 2.176891826e-02, -8.343945257e-03, 2.292744815e-03}

// erfPoly is erf(x)/x-1 in x² for |x| < erfSmall.
var erfPoly = [6]float32{1.283791512e-01, -3.761250079e-01, 1.128188074e-01, -2.676871046e-02, 4.995951429e-03, -6.003722083e-04}

// erfcPoly is -log(erfc(x))/x-1 in x for erfSmall ≤ x ≤ erfLarge, where
// erf(erfLarge) rounds to 1.
var erfcPoly = [7]float32{1.286548823e-01, 6.350591183e-01, 1.064901426e-01, -2.405584045e-02, 3.810717026e-03, -3.697702778e-04, 1.632953172e-05}

const (
	tanhSmall = 0.625
	erfSmall  = 0.921875
	erfLarge  = 4.0
	// siluEnd is where SiLU ends: assembly's power of two would leave its range.
	siluEnd = 87.0
	// expMin and expMax bound the arguments of exp whose results are neither
	// 0 nor infinite.
	expMin = -104.0
	expMax = 89.0
	// ln2Hi has few bits, so that n·ln2Hi is exact.
	ln2Hi = 0.693359375
	ln2Lo = -2.12194440e-4
)

func horner(c []float32, x float32) float32 {
	s := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		s = s*x + c[i]
	}
	return s
}

// exp32 is eˣ: 2ⁿ·eʳ with |r| ≤ ln2/2, scaled in two steps so that denormal
// results round once.
func exp32(x float32) float32 {
	x = clampTo(x, expMin, expMax)
	n := float32(math.RoundToEven(float64(x * math.Log2E)))
	r := x - n*ln2Hi - n*ln2Lo
	p := horner(expPoly[:], r)*(r*r) + r + 1
	if n != n {
		return x
	}
	i := int32(n)
	h := i >> 1
	return p * pow2(h) * pow2(i-h)
}

// pow2 is 2ⁿ for normal results.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func copySign32(x, sign float32) float32 {
	return math.Float32frombits(math.Float32bits(x)&^(1<<31) | math.Float32bits(sign)&(1<<31))
}

// sigmoid32 uses e^-|x| ≤ 1, so that neither side loses digits.
func sigmoid32(x float32) float32 {
	z := exp32(-abs32(x))
	num := z
	if x >= 0 {
		num = 1
	}
	return num / (1 + z)
}

func silu32(x float32) float32 {
	x = clampTo(x, -siluEnd, inf)
	return x / (1 + exp32(-x))
}

func tanh32(x float32) float32 {
	t := abs32(x)
	if t < tanhSmall {
		z := x * x
		return horner(tanhPoly[:], z)*z*x + x
	}
	return copySign32(1-2/(exp32(t+t)+1), x)
}

func erf32(x float32) float32 {
	t := abs32(x)
	if t < erfSmall {
		return horner(erfPoly[:], x*x)*x + x
	}
	if t > erfLarge {
		t = erfLarge
	}
	return copySign32(1-exp32(-(horner(erfcPoly[:], t)*t+t)), x)
}

func gelu32(x float32) float32 {
	if x == float32(math.Inf(-1)) {
		return 0
	}
	return 0.5 * x * (1 + erf32(x*(math.Sqrt2/2)))
}

func hardSwish32(x float32) float32 {
	return x * clampTo(float32(x*(1.0/6))+0.5, 0, 1)
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
