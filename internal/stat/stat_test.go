package stat_test

import (
	"math"
	"testing"

	"pare/internal/stat"
)

func TestMedian(t *testing.T) {
	if m := stat.Median([]float64{3, 1, 2}); m != 2 {
		t.Error(m)
	}
	if m := stat.Median([]float64{4, 1, 2, 3}); m != 2.5 {
		t.Error(m)
	}
	if !math.IsNaN(stat.Median(nil)) {
		t.Error("median of nothing")
	}
}

// The order statistics of the published tables of sign-test intervals.
func TestMedianInterval(t *testing.T) {
	for n, k := range map[int]int{5: 1, 6: 1, 9: 2, 10: 2, 20: 6, 25: 8, 50: 18, 100: 40} {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i + 1)
		}
		if iv := stat.MedianInterval(x); iv != [2]float64{float64(k), float64(n + 1 - k)} {
			t.Errorf("n=%d: %v, want %d and %d", n, iv, k, n+1-k)
		}
	}
	x := make([]float64, 5000)
	if iv := stat.MedianInterval(x); iv != [2]float64{} {
		t.Error(iv)
	}
}
