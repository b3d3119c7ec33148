package kernel

import (
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
				a := gateArgs{tailBytes(t, r, n), guard.Tail[uint8](t, n), tail(t, r, n, 1, false), 0, 0, int32(g.Zero), 100, 0.7, 0.3}
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
