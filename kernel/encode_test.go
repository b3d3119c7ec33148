package kernel

import (
	"math"
	"testing"

	"pare/internal/guard"
)

// costOf adds up what y costs as a stand-in for x.
func costOf(x, y []float32) Cost {
	var a gridArgs
	a.src = x
	for i, v := range y {
		a.count(i, v)
	}
	c := Cost{Square: folded(&a.square), Energy: folded(&a.energy)}
	for _, v := range a.top {
		c.Max = max(c.Max, v)
	}
	return c
}

func TestEncodeSteps(t *testing.T) {
	eachImpl(t, "encodesteps", encodeStepsLoops, func(t *testing.T, run gridLoop) {
		r := seeded(21)
		for _, n := range lengths() {
			for _, s := range []Scale{{0.03, 0, -127, 127}, {0.11, 5, 0, 15}, {0.7, 0, -1, 1}, {0.02, 100, 0, 255}} {
				x, y := tail(t, r, n, 3, false), make([]float32, n)
				x[0] = float32(math.Copysign(0, -1))
				a := gridArgs{dst: guard.Tail[uint8](t, n), src: x, step: s.Step, lo: float32(s.Lo - s.Zero), hi: float32(s.Hi - s.Zero), zero: s.Zero}
				run(&a)
				for i, v := range x {
					q := min(max(int32(math.RoundToEven(float64(v/s.Step))), s.Lo-s.Zero), s.Hi-s.Zero)
					if y[i] = float32(q) * s.Step; a.dst[i] != uint8(q+s.Zero) {
						t.Fatalf("%+v: %v of %d became %d, want %d", s, v, n, a.dst[i], uint8(q+s.Zero))
					}
				}
				compareCost(t, &a, x, y)
			}
		}
	})
}

func TestEncodeLevels(t *testing.T) {
	eachImpl(t, "encodelevels", encodeLevelsLoops, func(t *testing.T, run gridLoop) {
		r := seeded(22)
		for _, n := range lengths() {
			for _, count := range []int{2, 4, 8, 16} {
				const step = 0.25
				a := gridArgs{dst: guard.Tail[uint8](t, n), src: tail(t, r, n, 3, false), step: step, zero: int32(count - 1), n: count}
				for q := range a.cuts {
					if a.cuts[q] = inf; q < count {
						a.cuts[q], a.levels[q] = float32(q*q)*0.08, float32(q*q)*0.08*step+0.001*float32(q)
					}
				}
				run(&a)
				y := make([]float32, n)
				for i, v := range a.src {
					q := 0
					for q+1 < count && float32(math.Abs(float64(v/step))) >= a.cuts[q+1] {
						q++
					}
					want := int(a.zero) + q
					if y[i] = a.levels[q]; v < 0 {
						want, y[i] = int(a.zero)-q, -y[i]
					}
					if int(a.dst[i]) != want {
						t.Fatalf("%d levels: %v of %d became %d, want %d", count, v, n, a.dst[i], want)
					}
				}
				compareCost(t, &a, a.src, y)
			}
		}
	})
}

// compareCost checks the sums of a call, part by part.
func compareCost(t *testing.T, a *gridArgs, x, y []float32) {
	t.Helper()
	want := gridArgs{src: x}
	for i, v := range y {
		want.count(i, v)
	}
	got := Cost{Square: folded(&a.square), Energy: folded(&a.energy)}
	for _, v := range a.top {
		got.Max = max(got.Max, v)
	}
	if a.square != want.square || a.energy != want.energy || got != costOf(x, y) {
		t.Fatalf("%d elements cost %+v, want %+v", len(x), got, costOf(x, y))
	}
}

// TestEncode goes through the functions themselves.
func TestEncode(t *testing.T) {
	x, dst := []float32{-1, -0.4, 0, 0.4, 1}, make([]uint8, 5)
	if c := EncodeSteps(dst, x, Scale{Step: 0.5, Zero: 2, Lo: 0, Hi: 3}); [5]uint8(dst) != [5]uint8{0, 1, 2, 3, 3} || math.Abs(c.Max-0.5) > 1e-7 || math.Abs(c.Square-0.27) > 1e-6 {
		t.Errorf("steps: %d at %+v", dst, c)
	}
	if c := EncodeLevels(dst, x, 0.5, []float32{0, 0.5, 1.5}, []float32{0, 0.5, 1}); [5]uint8(dst) != [5]uint8{0, 1, 2, 3, 4} || math.Abs(c.Energy-2.32) > 1e-6 {
		t.Errorf("levels: %d at %+v", dst, c)
	}
}
