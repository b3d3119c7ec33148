package format_test

import (
	"math"
	"slices"
	"testing"

	"pare/format"
	"pare/tensor"
)

// TestTernaryChoices holds the three choices to the figures of fifty thousand normal
// numbers: threshold, level and error.
func TestTernaryChoices(t *testing.T) {
	w := normal(23, 1, 50_000)
	x := tensor.Data[float32](w)
	most := 0.0
	for _, v := range x {
		most = max(most, math.Abs(float64(v)))
	}
	for by, want := range map[format.Ternary][3]float64{
		format.Support:      {most / 3, most * 2 / 3, math.NaN()},
		format.Mass:         {.4307, 1.0908, .4547},
		format.LeastSquares: {.612, 1.224, .436},
	} {
		e, cost, err := format.EncodeTernary(w, format.Spec{Bits: 2, Grain: format.PerChannel}, by, 1)
		if err != nil {
			t.Fatal(err)
		}
		level, cut := float64(tensor.Data[float32](e.Scale)[0]), 0.0
		for i, v := range decode(t, e) {
			if v == 0 {
				cut = max(cut, math.Abs(float64(x[i])))
			}
		}
		if math.Abs(cut-want[0]) > .015 || math.Abs(level-want[1]) > .015 || math.Abs(math.Sqrt(cost.MSE())-want[2]) > .005 {
			t.Errorf("%v: threshold %.3f, level %.3f, error %.3f; want %.3f", by, cut, level, math.Sqrt(cost.MSE()), want)
		}
		if bound := most/3 + 1e-6; by == format.Support && cost.Max > bound {
			t.Errorf("support: largest error %v, bound %v", cost.Max, bound)
		}
	}
}

// TestCodebookIsBest compares codebooks of few levels on a coarse grid with all
// that there are.
func TestCodebookIsBest(t *testing.T) {
	for seed := range uint64(5) {
		w := normal(40+seed, 1, 60)
		x := tensor.Data[float32](w)
		m := slices.Max(x)
		m = max(m, -slices.Min(x))
		for i := range x {
			x[i] /= m
		}
		const top = 6
		best := math.Inf(1)
		var try func(levels []float32, from int)
		try = func(levels []float32, from int) {
			if len(levels) == 4 {
				best = min(best, spread(x, levels))
				return
			}
			for l := from; l <= top; l++ {
				try(append(levels, float32(l)/top), l+1)
			}
		}
		try(nil, -top)
		e, cost := encode(t, w, format.Spec{Kind: format.Codebook, Bits: 2, Top: top}, format.Options{})
		// The scale is fitted afterwards, which can only help.
		unit := make([]float32, len(e.Levels))
		for i, l := range e.Levels {
			unit[i] = l / top
		}
		if got := spread(x, unit); got > best*(1+1e-6) {
			t.Errorf("levels %v leave %v, the best %v", e.Levels, got, best)
		}
		if cost.Square > best*(1+1e-6) {
			t.Errorf("fitted: %v, the best without %v", cost.Square, best)
		}
	}
}

// spread is the squared error of x at the nearest levels.
func spread(x, levels []float32) (sum float64) {
	for _, v := range x {
		d := math.Inf(1)
		for _, l := range levels {
			d = min(d, math.Abs(float64(v-l)))
		}
		sum += d * d
	}
	return sum
}

// TestCodebookBeatsGrids: levels where the weights are beat those of a power
// grid, with integers too.
func TestCodebookBeatsGrids(t *testing.T) {
	w := normal(41, 32, 300)
	for bits := 2; bits <= 5; bits++ {
		power, _ := encode(t, w, format.Spec{Kind: format.Power, Bits: bits, Exponent: .7, Grain: format.PerChannel}, format.Options{Range: format.MSERange})
		for _, top := range []int{0, 127, 32} {
			e, cost := encode(t, w, format.Spec{Kind: format.Codebook, Bits: bits, Top: top, Grain: format.PerChannel}, format.Options{})
			if d := format.Difference(tensor.Data[float32](w), decode(t, power)); cost.Square > d.Square {
				t.Errorf("%d bits, top %d: error %.4f, power %.4f", bits, top, cost.Relative(), d.Relative())
			}
			for _, l := range e.Levels {
				if top != 0 && (l != float32(math.Round(float64(l))) || max(l, -l) > float32(top)) {
					t.Errorf("level %v is no integer up to %d", l, top)
				}
			}
		}
	}
}

// TestImportance: weights that count more are stored better.
func TestImportance(t *testing.T) {
	w := normal(42, 1, 4000)
	x := tensor.Data[float32](w)
	importance := make([]float32, len(x))
	for i, v := range x {
		importance[i] = .01
		if v > 1 {
			importance[i] = 1
		}
	}
	s := format.Spec{Kind: format.Codebook, Bits: 3, Top: 127}
	weighed := func(o format.Options) (sum float64) {
		e, _ := encode(t, w, s, o)
		for i, v := range decode(t, e) {
			sum += float64(importance[i]) * float64((v-x[i])*(v-x[i]))
		}
		return sum
	}
	if a, b := weighed(format.Options{Importance: importance}), weighed(format.Options{}); a > .5*b {
		t.Errorf("importance leaves %v of the weighed error", a/b)
	}
}

// TestTop: power tables for kernels with a bound keep their levels apart.
func TestTop(t *testing.T) {
	for bits := 2; bits <= 5; bits++ {
		for _, top := range []int{16, 32, 48, 127} {
			for _, a := range []float64{.2, .5, .7, 1} {
				table := format.TableTo(top, bits, a)
				for j := 1; j < len(table); j++ {
					if !(table[j] > table[j-1]) {
						t.Errorf("%d bits, top %d, exponent %v: %v", bits, top, a, table)
						break
					}
				}
				if table[len(table)-1] != float32(top) {
					t.Errorf("%d bits: the last of %v is not %d", bits, table, top)
				}
			}
		}
	}
}
