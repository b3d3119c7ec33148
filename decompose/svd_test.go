package decompose_test

import (
	"strings"
	"testing"

	"pare/tensor"
)

// byFilter, byColumn and byRow are the matrices whose rank is planted.
func byFilter(w *tensor.Tensor) (row, col func(at []int) int) {
	return func(at []int) int { return at[0] }, func(at []int) int {
		k := 0
		for d, i := range at[1:] {
			k = k*w.Shape[d+1] + i
		}
		return k
	}
}

func separable(w *tensor.Tensor) (row, col func(at []int) int) {
	return func(at []int) int { return at[0]*w.Shape[3] + at[3] }, func(at []int) int { return at[1]*w.Shape[2] + at[2] }
}

// TestPlanted: layers whose weights have a low rank become smaller and compute
// the same.
func TestPlanted(t *testing.T) {
	for name, c := range map[string]struct {
		input, body string
		rank        int
		plant       func(w *tensor.Tensor) (row, col func(at []int) int)
		recipe      string
	}{
		"gemm":         {"f32[3,40]", "  const w = f32[48,40]{*1.0}\n  const b = f32[48]{*1.0}\n  y = Gemm(x, w, b) {transB=1}", 8, byFilter, "svd(pays=macs)"},
		"gemm turned":  {"f32[3,40]", "  const w = f32[40,48]{*1.0}\n  y = Gemm(x, w)", 5, byFilter, "svd(pays=macs)"},
		"matmul":       {"f32[2,3,40]", "  const w = f32[40,48]{*1.0}\n  const b = f32[48]{*1.0}\n  p = MatMul(x, w)\n  y = Add(b, p)", 8, byFilter, "svd(weighted=none,pays=macs)"},
		"pointwise":    {"f32[1,32,5,6]", "  const w = f32[48,32,1,1]{*1.0}\n  y = Conv(x, w) {strides=[2, 1]}", 8, byFilter, "svd(align=1,pays=macs)"},
		"channel":      {"f32[1,16,9,8]", "  const w = f32[32,16,3,3]{*1.0}\n  const b = f32[32]{*1.0}\n  y = Conv(x, w, b) {pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2]}", 8, byFilter, "svd(form=channel,pays=macs)"},
		"same":         {"f32[1,16,9,8]", "  const w = f32[32,16,3,3]{*1.0}\n  y = Conv(x, w) {auto_pad=\"SAME_UPPER\", strides=[2, 2]}", 8, byFilter, "svd(form=channel,pays=macs)"},
		"line":         {"f32[1,16,19]", "  const w = f32[32,16,5]{*1.0}\n  y = Conv(x, w) {pads=[2, 2]}", 8, byFilter, "svd(pays=macs)"},
		"volume":       {"f32[1,8,4,5,6]", "  const w = f32[24,8,3,2,3]{*1.0}\n  y = Conv(x, w) {pads=[1, 0, 1, 1, 0, 1]}", 8, byFilter, "svd(pays=macs)"},
		"spatial":      {"f32[1,16,9,8]", "  const w = f32[32,16,3,5]{*1.0}\n  const b = f32[32]{*1.0}\n  y = Conv(x, w, b) {pads=[1, 3, 0, 2], strides=[2, 3], dilations=[2, 1]}", 8, separable, "svd(form=spatial,pays=macs)"},
		"spatial same": {"f32[1,16,9,8]", "  const w = f32[32,16,3,3]{*1.0}\n  y = Conv(x, w) {auto_pad=\"SAME_LOWER\", strides=[2, 1]}", 8, separable, "svd(pays=macs)"},
	} {
		m := parse(t, c.input, c.body)
		w := constant(t, m, "w")
		row, col := c.plant(w)
		product(w, c.rank, row, col)
		want := computed(t, m)
		rep := compressed(t, m, c.recipe)
		if l := rep.Layers[0]; l.Skipped || rep.After.Params >= rep.Before.Params || l.ErrorAfter > 1e-6 {
			t.Errorf("%s: %+v", name, l)
		}
		if d := distance(computed(t, m), want); d > 2e-5 {
			t.Errorf("%s: outputs differ by %v", name, d)
		}
	}
}

// TestLeft: what has no smaller form stays, with the reason.
func TestLeft(t *testing.T) {
	for body, why := range map[string]string{
		"  const w = f32[16,1,3,3]{*1.0}\n  y = Conv(x, w) {group=16}":         "depthwise conv has no low-rank form",
		"  const w = f32[16,8,3,3]{*1.0}\n  y = Conv(x, w) {group=2}":          "grouped conv has no low-rank form",
		"  const w = f32[16,16,3,3]{*1.0}\n  p = Conv(x, w)\n  y = Conv(p, w)": "read in several places",
		"  const w = f32[1,16,3,3]{*1.0}\n  y = Conv(x, w)":                    "no rank saves",
		"  const w = f32[16,16,1,1]{*1.0}\n  y = Conv(x, w)":                   "no rank saves",
		"  const w = f32[32,16,3,3]{*1.0}\n  y = Conv(x, w)":                   "has an error of",
		"  const w = f32[20,8]{*1.0}\n  y = MatMul(w, x)":                      "weights come first",
		"  const w = f32[32,16,3,3]{*0.0}\n  z = Sub(w, w)\n  y = Conv(x, z)":  "computed",
	} {
		rep := compressed(t, parse(t, "f32[1,16,8,8]", body), "svd(pays=macs)")
		found := false
		for _, l := range rep.Layers {
			found = found || l.Skipped && strings.Contains(l.Reason, why)
		}
		if !found {
			t.Errorf("%s: want %q in %+v", body, why, rep.Layers)
		}
	}
}
