package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pare/internal/cpu"
	"pare/internal/guard"
)

// eachLevel runs a test once for every level of features that the machine has
// in full, so that every row that can run does.
func eachLevel(t *testing.T, f func(t *testing.T)) {
	for _, level := range cpu.Levels() {
		t.Run(level, func(t *testing.T) {
			restore, full := cpu.Cap(level)
			defer restore()
			if !full {
				t.Skipf("SKIPPED: this machine, or PARE_CPU, has no %s", level)
			}
			f(t)
		})
	}
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// floats returns n values in [-1, 1) that end at an unmapped page.
func floats(t testing.TB, r *rand.Rand, n int) []float32 {
	s := guard.Tail[float32](t, n)
	for i := range s {
		s[i] = 2*r.Float32() - 1
	}
	return s
}

// near fails if got differs from want by more than tol·max(1, |want|).
func near(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d results, want %d", what, len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if d := math.Abs(float64(g) - w); !(d <= tol*math.Max(1, math.Abs(w))) && float64(g) != w {
			t.Fatalf("%s: element %d is %v, want %v", what, i, g, w)
		}
	}
}
