package kernel

import (
	"fmt"
	"math"
	"testing"

	"pare/internal/guard"
)

// rowTol bounds the relative error of sums of n positive numbers in 64 parts.
func rowTol(n int) float64 { return (8 + float64(n)/64) * 6e-8 }

func TestRowMax(t *testing.T) {
	eachImpl(t, "rowmax", rowMaxLoops, func(t *testing.T, run reduceLoop) {
		r := seeded(5)
		for _, n := range lengths() {
			for _, strange := range []bool{false, true} {
				src := tail(t, r, n, 3, strange)
				for i := range src {
					src[i] -= 4 // zero must not win
				}
				want := -inf
				for _, x := range src {
					if x > want {
						want = x
					}
				}
				if got := run(src); got != want {
					t.Fatalf("largest of %v is %v, want %v", src, got, want)
				}
			}
		}
	})
}

func TestRowSize(t *testing.T) {
	eachImpl(t, "rowsize", rowSizeLoops, func(t *testing.T, run reduceLoop) {
		r := seeded(6)
		for _, n := range lengths() {
			for _, strange := range []bool{false, true} {
				src, want := tail(t, r, n, 3, strange), 0.0
				for _, x := range src {
					want = max(want, math.Abs(float64(x)))
				}
				if got := float64(run(src)); got != want && !(got != got && want != want) {
					t.Fatalf("largest magnitude of %v is %v, want %v", src, got, want)
				}
			}
		}
	})
}

// testSums compares a sum with float64, and the instruction sets with each
// other bit by bit.
func testSums[F any](t *testing.T, family string, rows []impl[F], call func(run F, src []float32) float32, exact func(src []float32) float64) {
	first := map[int]float32{}
	eachImpl(t, family, rows, func(t *testing.T, run F) {
		r := seeded(6)
		for _, n := range append(lengths(), 1000, 40961) {
			src := tail(t, r, n, 1, false)
			got, want := call(run, src), exact(src)
			var size float64
			for _, x := range src {
				size += math.Abs(float64(x)) + 1
			}
			if !(math.Abs(float64(got)-want) <= rowTol(n)*size) {
				t.Fatalf("%s of %d elements is %v, want %v", family, n, got, want)
			}
			if t.Name()[len(t.Name())-3:] == "_go" {
				continue
			}
			if f, ok := first[n]; ok && f != got {
				t.Fatalf("%s of %d elements is %v and %v on two instruction sets", family, n, f, got)
			}
			first[n] = got
			src[n-1] = nan
			if got := call(run, src); got == got {
				t.Fatalf("%s of a NaN is %v", family, got)
			}
		}
	})
}

func TestSums(t *testing.T) {
	testSums(t, "rowsum", rowSumLoops, func(run reduceLoop, src []float32) float32 { return run(src) }, func(src []float32) (s float64) {
		for _, x := range src {
			s += float64(x)
		}
		return s
	})
	const mean = 0.25
	testSums(t, "variance", varianceLoops, func(run reduce2Loop, src []float32) float32 { return run(src, mean) }, func(src []float32) (s float64) {
		for _, x := range src {
			s += (float64(x) - mean) * (float64(x) - mean)
		}
		return s
	})
	testSums(t, "expsum", expSumLoops, func(run expSumLoop, src []float32) float32 {
		dst := guard.Tail[float32](t, len(src))
		sum := run(dst, src, mean)
		for i, x := range src {
			if w := math.Exp(float64(x - mean)); bad(dst[i], w, ulps(2)(0, w)) {
				t.Fatalf("exponential %d of %d is %v, want %v", i, len(src), dst[i], w)
			}
		}
		return sum
	}, func(src []float32) (s float64) {
		for _, x := range src {
			s += math.Exp(float64(x - mean))
		}
		return s
	})
}

func TestNormalize(t *testing.T) {
	eachImpl(t, "normalize", normalizeLoops, func(t *testing.T, run normalizeLoop) {
		r := seeded(7)
		for _, n := range lengths() {
			src, gamma, beta := tail(t, r, n, 3, true), tail(t, r, n, 3, true), tail(t, r, n, 3, false)
			for _, b := range [][]float32{beta, nil} {
				want := make([]float32, n)
				for i, x := range src {
					want[i] = float32(float32((x-0.5)*1.7) * gamma[i])
					if b != nil {
						want[i] += b[i]
					}
				}
				dst := guard.Tail[float32](t, n)
				run(dst, src, gamma, b, 0.5, 1.7)
				bitsEqual(t, fmt.Sprintf("%d elements, beta %v", n, b != nil), dst, want)
			}
			want := make([]float32, n)
			run(want, src, gamma, beta, 0.5, 1.7)
			run(src, src, gamma, beta, 0.5, 1.7)
			bitsEqual(t, "in place", src, want)
		}
	})
}
