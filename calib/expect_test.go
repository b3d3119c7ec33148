package calib

import (
	"math"
	"testing"

	"pare/ir"
)

// TestExpect: means by quadrature are those that propagation knows in closed form,
// behind a Relu and behind a Clip.
func TestExpect(t *testing.T) {
	itself := func(x float64) float64 { return x }
	for _, limits := range [][2]float64{{0, math.Inf(1)}, {0, 6}} {
		s := newRoot(&ir.Stats{Axis: 1, Mean: []float64{-1, 0.3, 5}, Std: []float64{1, 2, 1.5}, Lo: []float64{-9, -9, -9}, Hi: []float64{19, 19, 19}})
		v := &ir.Value{Name: "v"}
		clipped := apply(s, func(_ int, x float64) float64 { return min(max(x, limits[0]), limits[1]) })
		table := &Table{state: map[*ir.Value]*state{v: clipped}}
		mean, square := table.Expect(v, itself)
		for c := range s.Mean {
			want, std := clipMoments(s.Mean[c], s.Std[c], limits[0], limits[1])
			if math.Abs(mean[c]-want) > 1e-3 || math.Abs(square[c]-want*want-std*std) > 5e-3 {
				t.Errorf("channel %d within %v: mean %v, mean square %v, want %v and deviation %v", c, limits, mean[c], square[c], want, std)
			}
		}
		mean, square = Expect(s.Stats, itself)
		for c, m := range s.Mean {
			if std := s.Std[c]; math.Abs(mean[c]-m) > 1e-3 || math.Abs(square[c]-m*m-std*std) > 5e-3 {
				t.Errorf("channel %d: mean %v, mean square %v of a normal law of %v and %v", c, mean[c], square[c], m, std)
			}
		}
	}
}
