package calib

import (
	"math"
	"testing"

	"pare/ir"
)

// TestExpect: means by quadrature are those that propagation knows in closed form,
// behind a Relu and behind a Clip.
func TestExpect(t *testing.T) {
	for _, limits := range [][2]float64{{0, math.Inf(1)}, {0, 6}} {
		s := newRoot(&ir.Stats{Axis: 1, Mean: []float64{-1, 0.3, 5}, Std: []float64{1, 2, 1.5}, Lo: []float64{-9, -9, -9}, Hi: []float64{19, 19, 19}})
		v := &ir.Value{Name: "v"}
		clipped := apply(s, func(_ int, x float64) float64 { return min(max(x, limits[0]), limits[1]) })
		table := &Table{state: map[*ir.Value]*state{v: clipped}}
		for c, got := range table.Expect(v, func(x float64) float64 { return x }) {
			if want, _ := clipMoments(s.Mean[c], s.Std[c], limits[0], limits[1]); math.Abs(got-want) > 1e-3 {
				t.Errorf("channel %d within %v: %v, want %v", c, limits, got, want)
			}
		}
		table.Set(v, &ir.Stats{Mean: []float64{1}})
		if table.Expect(v, math.Abs) != nil {
			t.Error("measured statistics have a distribution")
		}
	}
}
