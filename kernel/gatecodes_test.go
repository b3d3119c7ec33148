package kernel

import (
	"bytes"
	"math"
	"testing"

	"pare/internal/guard"
)

// TestGateCodes compares single rows with the definition in float64.
func TestGateCodes(t *testing.T) {
	eachImpl(t, "gatecodes", gateCodesLoops, func(t *testing.T, run gateCodesLoop) {
		r := seeded(9)
		for _, n := range lengths() {
			for _, g := range []Gate{{Zero: 7}, {Lo: 0, Hi: 90, Zero: 100}, {Zero: 255}} {
				e := IntEpilogue{Zero: g.Zero, Lo: g.Lo, Hi: g.Hi}
				a := gateArgs{tailBytes(t, r, n), guard.Tail[uint8](t, n), tail(t, r, n, 1, false), 0, 0, int32(g.Zero), 100, 0.7, 0.3, 1 / float32(0.3), gateMost * float32(0.3)}
				a.lo, a.hi = e.limits(storeCodes)
				run(&a)
				for i, got := range a.dst {
					y := float32((float64(a.src[i]) - 100) * float64(a.step))
					y = float32(float64(y) * float64(a.mul[i]))
					y = float32(float64(y) / float64(a.unit))
					if g.Lo < g.Hi {
						y = min(max(y, g.Lo), g.Hi)
					}
					want := min(max(math.RoundToEven(float64(y))+float64(g.Zero), 0), 255)
					if float64(got) != want {
						t.Fatalf("%+v: %d becomes %d, want %v", g, a.src[i], got, want)
					}
				}
			}
		}
	})
}

// TestGateDivides compares quotients near the middle between codes, and numbers out
// of all ranges, with the portable row.
func TestGateDivides(t *testing.T) {
	eachImpl(t, "gatecodes", gateCodesLoops, func(t *testing.T, run gateCodesLoop) {
		r := seeded(31)
		src, dst, want := make([]uint8, 256), make([]uint8, 256), make([]uint8, 256)
		mul := make([]float32, 256)
		for i := range src {
			src[i] = uint8(i)
		}
		gates := []float32{0.5, 1, 0.25, 1.0 / 3, 1.5, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 3e38, -3e38, 1e-40, 0}
		for n := range 3000 {
			step, unit := r.Float32()+1e-3, r.Float32()+1e-3
			switch n % 3 {
			case 0:
				unit = step * float32(1+r.IntN(6))
			case 1:
				unit = math.Float32frombits(uint32(r.IntN(250))<<23 | uint32(r.IntN(1<<23)) | 1)
				step = unit
			}
			for i := range mul {
				mul[i] = gates[r.IntN(len(gates))] * float32(1+n%2*r.IntN(3))
			}
			g := Gate{Mul: mul, From: uint8(n), Zero: uint8(n / 7), Step: step, Unit: unit}
			lo, hi := (&IntEpilogue{Zero: g.Zero}).limits(storeCodes)
			a := gateArgs{src, dst, mul, lo, hi, int32(g.Zero), float32(g.From), step, unit, 1 / unit, gateMost * unit}
			run(&a)
			a.dst = want
			gateCodesFrom(0, &a)
			if !bytes.Equal(dst, want) {
				t.Fatalf("step %v, unit %v, gates %v:\n%d, want\n%d", step, unit, mul, dst, want)
			}
		}
	})
}

func TestGatePixels(t *testing.T) {
	g := Gate{Mul: []float32{1, 2, 0.5}, From: 3, Zero: 1, Step: 4, Unit: 4}
	x := []uint8{5, 6, 7, 8, 200, 10}
	g.Run(x, x)
	for i, want := range []uint8{3, 7, 3, 6, 255, 5} {
		if x[i] != want {
			t.Errorf("code %d is %d, want %d", i, x[i], want)
		}
	}
}
