package decompose_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pare/tensor"
)

const filters = "  const w = f32[32,24,3,3]{*1.0}\n  const b = f32[32]{*1.0}\n  y = Conv(x, w, b) {pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2]}"

// sumOf fills w with a sum over ranks of products of a matrix each of outputs and
// inputs; the filters of a pair are their own, or one for the two of the same rank.
func sumOf(w *tensor.Tensor, outs, ins int, shared bool) {
	r := rand.New(rand.NewPCG(3, 8))
	random := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		return x
	}
	taps := tensor.Len(w.Shape[2:])
	a, b, k := random(w.Shape[0]*outs), random(w.Shape[1]*ins), random(outs*ins*taps)
	fill(r, w, func(at []int) (sum float64) {
		t := at[2]*w.Shape[3] + at[3]
		for p := range outs {
			for q := range ins {
				if shared && p != q {
					continue
				}
				sum += a[at[0]*outs+p] * b[at[1]*ins+q] * k[(p*ins+q)*taps+t]
			}
		}
		return sum / 10
	})
}

// TestPlantedTensors: convolutions that are sums of few products become smaller and
// compute the same.
func TestPlantedTensors(t *testing.T) {
	for recipe, c := range map[string]struct {
		outs, ins int
		shared    bool
		most      float64
	}{
		"tucker(pays=macs)":                        {16, 8, false, 2e-5},
		"tucker(weighted=none,smooth=0,pays=macs)": {8, 8, false, 2e-5},
		"cp(error=0.02,pays=macs)":                 {6, 6, true, 0.05},
	} {
		m := parse(t, "f32[1,24,9,8]", filters)
		sumOf(constant(t, m, "w"), c.outs, c.ins, c.shared)
		want := computed(t, m)
		rep := compressed(t, m, recipe)
		if l := rep.Layers[0]; l.Skipped || rep.After.Params >= rep.Before.Params {
			t.Errorf("%s: %+v", recipe, l)
		}
		if d := distance(computed(t, m), want); d > c.most {
			t.Errorf("%s: outputs differ by %v", recipe, d)
		}
	}
}

// TestFitted: fitting the two axes to each other never makes a layer worse, and what
// is reported is what the weights say.
func TestFitted(t *testing.T) {
	for _, recipe := range []string{"tucker(rank=8,pays=macs)", "tucker(energy=0.5,pays=macs)", "cp(rank=24,pays=macs)", "cp(macs=0.5,pays=macs)"} {
		l := compressed(t, parse(t, "f32[1,24,9,8]", filters), recipe).Layers[0]
		if l.Skipped || l.ErrorAfter > l.ErrorBefore+1e-9 || l.ErrorAfter <= 0 || l.ErrorAfter >= 1 {
			t.Errorf("%s: %+v", recipe, l)
		}
	}
}

// TestTensorsLeft: layers of one tap, and those too small, stay.
func TestTensorsLeft(t *testing.T) {
	for body, why := range map[string]string{
		"  const w = f32[24,24,1,1]{*1.0}\n  y = Conv(x, w)":                "no rank saves",
		"  const w = f32[24,1,3,3]{*1.0}\n  y = Conv(x, w) {group=24}":      "has no low-rank form",
		"  const w = f32[1,24,3,3]{*1.0}\n  y = Conv(x, w)":                 "no rank saves",
		"  const w = f32[32,24,3,3]{*0.0}\n  z = Relu(x)\n  y = Conv(z, w)": "error of",
	} {
		for _, recipe := range []string{"tucker(pays=macs)", "cp(pays=macs)"} {
			if l := compressed(t, parse(t, "f32[1,24,8,8]", body), recipe).Layers[0]; !l.Skipped || !strings.Contains(l.Reason, why) {
				t.Errorf("%s of %s: %+v", recipe, body, l)
			}
		}
	}
}
