package kernel

import (
	"math"
	"testing"
)

func TestLookup(t *testing.T) {
	f := Lookup{Factor: 2, Offset: 1.5, Values: []float32{-1, 0, 1, 5}}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	src := []float32{-9, -0.76, -0.25, 0, 0.24, 0.25, 0.75, 3, inf, -inf, nan}
	want := []float32{-1, -1, 0, 0, 0, 1, 5, 5, 5, -1, -1}
	got := make([]float32, len(src))
	f.Run(got, src)
	for i := range want {
		if want[i] == 0 && got[i] == 0 {
			continue
		}
		if got[i] != want[i] {
			t.Errorf("%v becomes %v, want %v", src[i], got[i], want[i])
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	f := Lookup{Factor: 300, Offset: 0.5, Values: make([]float32, 4096)}
	x := make([]float32, 1<<14)
	r := seeded(1)
	for i := range x {
		x[i] = float32(math.Abs(r.NormFloat64()))
	}
	y := make([]float32, len(x))
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		f.Run(y, x)
	}
}
