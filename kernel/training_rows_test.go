package kernel

import (
	"math"
	"slices"
	"testing"

	"pare/internal/guard"
)

// TestSumLoops compares sums over rows with the portable rows, for all rests.
func TestSumLoops(t *testing.T) {
	eachImpl(t, "moments", momentsLoops, func(t *testing.T, run momentsLoop) {
		eachSums(t, func(n, rows int, sums [2][]float64, x []float32) {
			pivot := tail(t, seeded(uint64(n)), n, 1, false)
			run(sums[0], sums[1], x, pivot, rows)
		}, func(n, rows int, sums [2][]float64, x []float32) {
			momentsGo(sums[0], sums[1], x, tail(t, seeded(uint64(n)), n, 1, false), rows)
		})
	})
	eachImpl(t, "totals", totalsLoops, func(t *testing.T, run totalsLoop) {
		eachSums(t, func(n, rows int, sums [2][]float64, x []float32) { run(sums[0], x, n, rows) },
			func(n, rows int, sums [2][]float64, x []float32) { totalsGo(sums[0], x, n, rows) })
	})
	eachImpl(t, "normgradsums", normGradSumsLoops, func(t *testing.T, run normGradSumsLoop) {
		with := func(run normGradSumsLoop) func(n, rows int, sums [2][]float64, x []float32) {
			return func(n, rows int, sums [2][]float64, x []float32) {
				r := seeded(uint64(n))
				dy, mean, scale, shift := tail(t, r, len(x), 1, false), tail(t, r, n, 1, false), tail(t, r, n, 1, false), tail(t, r, n, 1, false)
				run(sums[0], sums[1], dy, x, mean, scale, shift, rows, -0.3, 0.4)
			}
		}
		eachSums(t, with(run), with(normGradSumsGo))
	})
}

// eachSums compares two ways to add to sums that have room for whole lines.
func eachSums(t *testing.T, run, reference func(n, rows int, sums [2][]float64, x []float32)) {
	for _, n := range lengths() {
		for _, rows := range []int{1, 2, 7, 32} {
			x := tail(t, seeded(uint64(n+rows)), n*rows, 1, false)
			var got, want [2][]float64
			for i := range got {
				room := (n + lineFloats - 1) / lineFloats * lineFloats
				got[i] = guard.Tail[float64](t, room)
				for j := range n {
					got[i][j] = float64(j)
				}
				want[i] = slices.Clone(got[i])
			}
			run(n, rows, got, x)
			reference(n, rows, want, x)
			for i := range got {
				for j := range n {
					if d := math.Abs(got[i][j] - want[i][j]); !(d < 2e-6*float64(rows)) {
						t.Fatalf("%d rows of %d: sum %d of element %d is %v, want %v", rows, n, i, j, got[i][j], want[i][j])
					}
				}
			}
		}
	}
}

// TestNormLoops: normalisation and its gradient have the bits of the portable rows.
func TestNormLoops(t *testing.T) {
	eachImpl(t, "normrows", normRowsLoops, func(t *testing.T, run normRowsLoop) {
		for _, n := range lengths() {
			r := seeded(uint64(n))
			x, mean, scale, shift := tail(t, r, 3*n, 2, true), tail(t, r, n, 1, true), tail(t, r, n, 1, true), tail(t, r, n, 1, true)
			for _, lo := range []float32{-inf, 0} {
				got, want := guard.Tail[float32](t, 3*n), make([]float32, 3*n)
				run(got, x, mean, scale, shift, 3, lo, 1)
				normRowsGo(want, x, mean, scale, shift, 3, lo, 1)
				bitsEqual(t, "normalised", got, want)
			}
		}
	})
	eachImpl(t, "normgrad", normGradLoops, func(t *testing.T, run normGradLoop) {
		for _, n := range lengths() {
			r := seeded(uint64(n))
			a := normGradArgs{dy: tail(t, r, 2*n, 1, true), x: tail(t, r, 2*n, 1, true), lo: -0.25, hi: 0.5}
			for _, p := range []*[]float32{&a.mean, &a.scale, &a.shift, &a.slope, &a.offset} {
				*p = tail(t, r, n, 1, true)
			}
			for _, keep := range []uint32{0, math.MaxUint32} {
				got := tail(t, r, 2*n, 1, true)
				want := slices.Clone(got)
				a.keep, a.rows = keep, 2
				b := a
				a.dx, b.dx = got, want
				run(&a)
				normGradGo(&b)
				bitsEqual(t, "gradient of a normalisation", got, want)
			}
		}
	})
}

// TestTrainingLoops: element-wise loops have the bits of the portable rows.
func TestTrainingLoops(t *testing.T) {
	eachImpl(t, "clampgrad", clampGradLoops, func(t *testing.T, run clampGradLoop) {
		for _, add := range []bool{false, true} {
			sameSteps(t, func(x [4][]float32) { run(x[0], x[1], x[2], -0.5, 0.75, add) },
				func(x [4][]float32) { clampGradGo(x[0], x[1], x[2], -0.5, 0.75, add) })
		}
	})
	eachImpl(t, "addscaled", addScaledLoops, func(t *testing.T, run addScaledLoop) {
		sameSteps(t, func(x [4][]float32) { run(x[0], x[1], 0.3) }, func(x [4][]float32) { addScaledGo(x[0], x[1], 0.3) })
	})
	eachImpl(t, "descent", descentLoops, func(t *testing.T, run descentLoop) {
		for _, nesterov := range []bool{false, true} {
			sameSteps(t, func(x [4][]float32) { run(x[0], x[1], x[2], 0.1, 0.01, 0.9, nesterov) },
				func(x [4][]float32) { descentGo(x[0], x[1], x[2], 0.1, 0.01, 0.9, nesterov) })
		}
	})
	s := Moments{Rate: 0.1, Decay: 0.01, Shrink: 0.97, Beta1: 0.9, New1: 0.1, Beta2: 0.99, New2: 0.01, Direct: 0.02, Unbias: 1.7, Epsilon: 1e-8}
	eachImpl(t, "adam", adamLoops, func(t *testing.T, run adamLoop) {
		sameSteps(t, func(x [4][]float32) { run(x[0], x[1], x[2], x[3], &s) }, func(x [4][]float32) { adamGo(x[0], x[1], x[2], x[3], &s) })
	})
	eachImpl(t, "adamax", adamaxLoops, func(t *testing.T, run adamLoop) {
		sameSteps(t, func(x [4][]float32) { run(x[0], x[1], x[2], x[3], &s) }, func(x [4][]float32) { adamaxGo(x[0], x[1], x[2], x[3], &s) })
	})
}

// sameSteps compares what two loops make of the same four slices, odd values included.
func sameSteps(t *testing.T, run, reference func(x [4][]float32)) {
	t.Helper()
	for _, n := range lengths() {
		var got, want [4][]float32
		for i := range got {
			got[i] = tail(t, seeded(uint64(10*n+i)), n, 1, true)
			want[i] = slices.Clone(got[i])
		}
		run(got)
		reference(want)
		for i := range got {
			bitsEqual(t, "slice", got[i], want[i])
		}
	}
}
