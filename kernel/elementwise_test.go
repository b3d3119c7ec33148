package kernel

import (
	"fmt"
	"math"
	"testing"

	"pare/internal/guard"
)

// exact is every function in float64, with the bound of its documentation: in
// ulp of the result, where it is normal, or what bound says.
var exact = [unaryCount]struct {
	f     func(x float64) float64
	bound func(x, want float64) float64
}{
	Exp:     {math.Exp, ulps(2)},
	Sigmoid: {func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, ulps(4)},
	SiLU: {func(x float64) float64 {
		if math.IsInf(x, -1) {
			return 0
		}
		return x / (1 + math.Exp(-x))
	}, func(x, want float64) float64 {
		if x < -siluEnd {
			return 1.5e-36
		}
		return ulps(4+math.Abs(x)/4)(x, want)
	}},
	Tanh: {math.Tanh, ulps(4)},
	Erf:  {math.Erf, ulps(4)},
	GELU: {func(x float64) float64 {
		if math.IsInf(x, -1) {
			return 0
		}
		return x * math.Erfc(-x/math.Sqrt2) / 2
	}, func(x, _ float64) float64 { return 3e-7 * max(1, math.Abs(x)) }},
	HardSwish: {func(x float64) float64 { return x * min(max(x/6+0.5, 0), 1) },
		func(x, _ float64) float64 { return ulps(3)(x, x) }},
	Sqrt: {math.Sqrt, ulps(0.5)},
}

// ulps is n units in the last place, of the denormal grid below the smallest
// normal number.
func ulps(n float64) func(x, want float64) float64 {
	return func(_, want float64) float64 {
		e := max(-126, math.Ilogb(want))
		if want == 0 {
			e = -126
		}
		return n * math.Ldexp(1, e-23)
	}
}

func TestUnary(t *testing.T) {
	for op := range unaryCount {
		eachImpl(t, op.String(), unaryLoops[op], func(t *testing.T, run unaryLoop) {
			testUnaryError(t, op, run)
			testUnaryEnds(t, op, run)
		})
	}
}

// testUnaryError samples all exponents and signs.
func testUnaryError(t *testing.T, op Unary, run unaryLoop) {
	const step = 16381 // prime
	var src []float32
	for bits := uint64(0); bits < 1<<32; bits += step {
		src = append(src, math.Float32frombits(uint32(bits)))
	}
	src = append(src, odd...)
	// Every argument around the borders between formulas.
	for _, at := range []float32{tanhSmall, erfSmall, erfLarge, expMax, 88.72284, -87.33655, siluEnd, -103.97208, 3, 1} {
		for d := range uint32(2000) {
			x := math.Float32frombits(math.Float32bits(at) + d - 1000)
			src = append(src, x, -x)
		}
	}
	dst := make([]float32, len(src))
	run(dst, src)
	e := exact[op]
	for i, x := range src {
		want := e.f(float64(x))
		if bad(dst[i], want, e.bound(float64(x), want)) {
			t.Fatalf("%v(%v) is %v, want %v", op, x, dst[i], want)
		}
	}
}

// bad reports an error beyond bound; what overflows float32 must be infinite
// or the largest number.
func bad(got float32, want, bound float64) bool {
	switch {
	case math.IsNaN(want):
		return got == got
	case math.Abs(want) > math.MaxFloat32:
		return math.Abs(float64(got)) < math.MaxFloat32 || (got > 0) != (want > 0)
	case math.IsInf(float64(got), 0):
		return math.Abs(want) < math.MaxFloat32*(1-1e-6)
	}
	return !(math.Abs(float64(got)-want) <= bound)
}

// testUnaryEnds holds the ends of the loop to its middle, and what rounds like the
// portable row to that, bit for bit.
func testUnaryEnds(t *testing.T, op Unary, run unaryLoop) {
	r := seeded(1)
	all := tail(t, r, 512, 6, true)
	want := make([]float32, len(all))
	run(want, all)
	if op == HardSwish || op == Sqrt {
		portable(unaryLoops[op])(want, all)
	}
	for _, n := range lengths() {
		src, dst := guard.Tail[float32](t, n), guard.Tail[float32](t, n)
		copy(src, all)
		run(dst, src)
		bitsEqual(t, fmt.Sprintf("%v of %d", op, n), dst, want[:n])
		run(src, src)
		bitsEqual(t, fmt.Sprintf("%v of %d in place", op, n), src, want[:n])
	}
}

// TestUnaryAgrees: both instruction sets give the same bits.
func TestUnaryAgrees(t *testing.T) {
	src := tail(t, seeded(2), 1<<16, 100, true)
	for op := range unaryCount {
		var want []float32
		eachImpl(t, op.String(), unaryLoops[op][:len(archUnary[op])], func(t *testing.T, run unaryLoop) {
			dst := make([]float32, len(src))
			run(dst, src)
			if want != nil {
				bitsEqual(t, op.String(), dst, want)
			}
			want = dst
		})
	}
}

// definitions of the functions of two operands.
var definitions = [binaryCount]func(a, b float32) float32{
	Add: func(a, b float32) float32 { return a + b },
	Sub: func(a, b float32) float32 { return a - b },
	Mul: func(a, b float32) float32 { return a * b },
	Div: func(a, b float32) float32 { return a / b },
	Min: func(a, b float32) float32 {
		if a < b {
			return a
		}
		return b
	},
	Max: func(a, b float32) float32 {
		if a > b {
			return a
		}
		return b
	},
}

func TestBinary(t *testing.T) {
	for op := range binaryCount {
		eachImpl(t, op.String(), binaryLoops[op], func(t *testing.T, run binaryLoop) {
			r := seeded(3)
			for _, n := range lengths() {
				for _, limits := range [][2]float32{{-inf, inf}, {-0.5, 0.75}, {0, 6}} {
					for _, one := range [][2]bool{{}, {true, false}, {false, true}} {
						testBinary(t, op, run, tail(t, r, operand(n, one[0]), 2, true), tail(t, r, operand(n, one[1]), 2, true), n, limits)
					}
				}
			}
		})
	}
}

func operand(n int, one bool) int {
	if one {
		return 1
	}
	return n
}

func testBinary(t *testing.T, op Binary, run binaryLoop, a, b []float32, n int, limits [2]float32) {
	t.Helper()
	aOne, bOne := len(a) < n, len(b) < n
	want := make([]float32, n)
	for i := range want {
		want[i] = clampTo(definitions[op](a[i%len(a)], b[i%len(b)]), limits[0], limits[1])
	}
	dst := guard.Tail[float32](t, n)
	run(dst, a, b, aOne, bOne, limits[0], limits[1])
	bitsEqual(t, op.String(), dst, want)
	into := a
	if aOne {
		into = b
	}
	run(into, a, b, aOne, bOne, limits[0], limits[1])
	bitsEqual(t, op.String()+" in place", into, want)
}

func TestBinaryForms(t *testing.T) {
	a, b, dst := []float32{1, 2, 3, 4, 5, 6}, []float32{10, 20, 30}, make([]float32, 6)
	Sub.RunRows(dst, a, b)
	bitsEqual(t, "rows", dst, []float32{-9, -18, -27, -6, -15, -24})
	Sub.RunRowsLeft(dst, b, a)
	bitsEqual(t, "rows left", dst, []float32{9, 18, 27, 6, 15, 24})
	Sub.RunScalar(dst, a, 1)
	bitsEqual(t, "scalar", dst, []float32{0, 1, 2, 3, 4, 5})
	Sub.RunScalarLeft(dst, 1, a)
	bitsEqual(t, "scalar left", dst, []float32{0, -1, -2, -3, -4, -5})
	Sub.RunClamp(dst, a, a[:6], 1, 2)
	bitsEqual(t, "clamp", dst, []float32{1, 1, 1, 1, 1, 1})
}

func TestAffine(t *testing.T) {
	eachImpl(t, "affine", affineLoops, func(t *testing.T, run affineLoop) {
		r := seeded(4)
		for _, n := range lengths() {
			for _, p := range [][4]float32{{1, 0, -inf, inf}, {1, 0, 0, 6}, {1.0 / 6, 0.5, 0, 1}, {-3.3, 0.1, -2, inf}, {nan, 0, 0, 1}} {
				src, dst, want := tail(t, r, n, 4, true), guard.Tail[float32](t, n), make([]float32, n)
				for i, x := range src {
					want[i] = clampTo(float32(p[0]*x)+p[1], p[2], p[3])
				}
				run(dst, src, p[0], p[1], p[2], p[3])
				bitsEqual(t, fmt.Sprint("affine ", p), dst, want)
				run(src, src, p[0], p[1], p[2], p[3])
				bitsEqual(t, fmt.Sprint("affine in place ", p), src, want)
			}
		}
	})
}
