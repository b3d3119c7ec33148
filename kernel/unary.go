package kernel

// Unary is an element-wise function of one operand.
type Unary int

// The element-wise functions. Errors are against exact arithmetic over all
// finite float32 arguments; "ulp" counts units in the last place of a normal
// result. NaN gives NaN.
const (
	// Exp is eˣ, within 2 ulp; below the smallest normal number results are
	// within one unit of the denormal grid.
	Exp Unary = iota
	// Sigmoid is 1/(1+e⁻ˣ), within 4 ulp.
	Sigmoid
	// SiLU is x·Sigmoid(x), within 4+|x|/4 ulp; below -87 it stays at -1.4e-36.
	SiLU
	// Tanh is within 4 ulp.
	Tanh
	// Erf is within 4 ulp.
	Erf
	// GELU is x·(1+erf(x/√2))/2, within 3e-7·max(1, |x|).
	GELU
	// HardSwish is x·min(max(x/6+½, 0), 1), within 3 ulp of x.
	HardSwish
	// Sqrt is the correctly rounded square root.
	Sqrt
	unaryCount
)

var unaryNames = [unaryCount]string{"exp", "sigmoid", "silu", "tanh", "erf", "gelu", "hardswish", "sqrt"}

// String is the function's name.
func (op Unary) String() string { return unaryNames[op] }

type unaryLoop func(dst, src []float32)

var unaryLoops = func() (t [unaryCount][]impl[unaryLoop]) {
	for op := range unaryCount {
		t[op] = append(archUnary[op], impl[unaryLoop]{"f32_1_go", 0, unaryGo(op)})
	}
	return t
}()

// Run computes dst = op(src) for slices of one length; dst may be src.
func (op Unary) Run(dst, src []float32) {
	if n := len(dst); n > 0 {
		pick(unaryLoops[op])(dst, src[:n])
	}
}

// Clamp computes dst = min(max(src, lo), hi); NaN stays NaN.
func Clamp(dst, src []float32, lo, hi float32) {
	Affine(dst, src, 1, 0, lo, hi)
}

// HardSigmoid computes dst = min(max(alpha·src + beta, 0), 1).
func HardSigmoid(dst, src []float32, alpha, beta float32) {
	Affine(dst, src, alpha, beta, 0, 1)
}

// Affine computes dst = min(max(scale·src + shift, lo), hi), product and sum each
// rounded, with the same bits on every machine.
func Affine(dst, src []float32, scale, shift, lo, hi float32) {
	if len(dst) == 0 {
		return
	}
	pick(affineLoops)(dst, src[:len(dst)], scale, shift, lo, hi)
}

type affineLoop func(dst, src []float32, scale, shift, lo, hi float32)

var affineLoops = append(archAffine, impl[affineLoop]{"f32_1_go", 0, func(dst, src []float32, scale, shift, lo, hi float32) {
	for i, x := range src {
		dst[i] = clampTo(float32(scale*x)+shift, lo, hi)
	}
}})

func unaryGo(op Unary) unaryLoop {
	f := [...]func(float32) float32{exp32, sigmoid32, silu32, tanh32, erf32, gelu32, hardSwish32, sqrt32}[op]
	return func(dst, src []float32) {
		for i, x := range src {
			dst[i] = f(x)
		}
	}
}
