package format_test

import (
	"slices"
	"testing"

	"pare/format"
	"pare/tensor"
)

// firstTerm is a first order and the largest error that it may have in a row, in
// units of the row's scale; 0 where only what it leaves bounds that.
type firstTerm struct {
	name  string
	e     *format.Encoded
	bound float64
}

func firstTerms(t *testing.T, w *tensor.Tensor) []firstTerm {
	t.Helper()
	var out []firstTerm
	for _, s := range []format.Spec{
		{Kind: format.Power, Bits: 3, Exponent: 0.5}, {Kind: format.Power, Bits: 4, Exponent: 0.4, Top: 48},
	} {
		s.Grain = format.PerChannel
		e, _ := encode(t, w, s, format.Options{})
		gap := float32(0)
		for i, l := range e.Levels[1:] {
			gap = max(gap, l-e.Levels[i])
		}
		out = append(out, firstTerm{s.String(), e, float64(gap) / 2})
	}
	for name, by := range map[string]format.Ternary{"support": format.Support, "mass": format.Mass} {
		e, _, err := format.EncodeTernary(w, format.Spec{Bits: 2, Grain: format.PerChannel}, by, 1)
		if err != nil {
			t.Fatal(err)
		}
		// Three equal parts, each with its middle; the scale is two of them.
		bound := map[string]float64{"support": .5}[name]
		out = append(out, firstTerm{"ternary " + name, e, bound})
	}
	e, _ := encode(t, w, format.Spec{Kind: format.Codebook, Bits: 3, Top: 127, Grain: format.PerChannel}, format.Options{})
	return append(out, firstTerm{"codebook", e, 0})
}

// TestBoundOfOtherGrids: whatever the first order is, every further one divides
// the largest error of the rows that have it by 2^bits, or by 2n where it reaches
// their largest rest; other rows keep what they had. A power grid starts with half
// its widest gap, equal thirds with a third of the range; thirds by mass and
// codebooks have no bound before they are made.
func TestBoundOfOtherGrids(t *testing.T) {
	w := normal(41, 12, 3000)
	for _, first := range firstTerms(t, w) {
		before := rowErrors(t, w, first.e)
		for i, got := range before {
			if bound := first.bound * float64(tensor.Data[float32](first.e.Scale)[i]); first.bound > 0 && (got > bound*1.001 || got < .75*bound) {
				t.Errorf("%s, row %d: largest error %v, bound %v", first.name, i, got, bound)
			}
		}
		for _, most := range []bool{true, false} {
			const bits = 3
			factor := float64(int(1) << bits)
			if most {
				factor -= 2
			}
			e, bounds := first.e, slices.Clone(before)
			for k, rows := range [][]int{nil, {0, 3, 4, 11}, {3}} {
				e = e.Extend(order(t, w, e, 0, rows, format.OrderOptions{Bits: bits, Max: most}))
				for i := range bounds {
					if rows == nil || slices.Contains(rows, i) {
						bounds[i] /= factor
					}
				}
				for i, got := range rowErrors(t, w, e) {
					if got > bounds[i]*1.001 || got < .9*bounds[i] {
						t.Errorf("%s, %d orders, row %d: largest error %v, bound %v", first.name, k+2, i, got, bounds[i])
					}
				}
			}
		}
	}
}

// rowErrors are the largest errors of e in the rows of w.
func rowErrors(t *testing.T, w *tensor.Tensor, e *format.Encoded) []float64 {
	t.Helper()
	got, want, n := decode(t, e), tensor.Data[float32](w), w.Shape[1]
	var out []float64
	for i := 0; i < len(want); i += n {
		out = append(out, format.Difference(want[i:i+n], got[i:i+n]).Max)
	}
	return out
}
