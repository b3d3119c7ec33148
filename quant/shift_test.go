package quant_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// high are two pointwise layers; what the first computes for x in -1..1 lies
// within 3 deviations of the mean that its statistics state.
const high = `  const w = f32[4,4,1,1]{0.1, 0.2, 0.0, -0.3, 0.2, 0.0, 0.1, 0.1, -0.1, 0.1, 0.2, 0.0, 0.3, 0.1, 0.1, 0.1}
  const b = f32[4]{5.0, 1.0, 0.2, 7.5}
  const u = f32[2,4,1,1]{0.3, -0.2, 0.5, 0.1, -0.4, 0.2, 0.1, 0.6}
  c1 f32[1,4,8,8] #stats(1, "batch-norm", mean=[5.0, 1.0, 0.2, 7.5], std=[0.25, 0.25, 0.25, 0.25]) = Conv(x, w, b)
`

func uniformInput(seed uint64) *tensor.Tensor {
	r, x := rand.New(rand.NewPCG(seed, 1)), tensor.New(tensor.Float32, 1, 4, 8, 8)
	for i := range tensor.Data[float32](x) {
		tensor.Data[float32](x)[i] = float32(2*r.Float64() - 1)
	}
	return x
}

// TestAbsorb: where channels stay above the bound the function is the same, and
// their mean is lower; elsewhere the layer stays, with the reason.
func TestAbsorb(t *testing.T) {
	for name, c := range map[string]struct{ body, why string }{
		"relu":      {"  r = Relu(c1)\n  y = Conv(r, u)", ""},
		"relu6":     {"  const lo = f32[]{0.0}\n  const hi = f32[]{6.0}\n  r = Clip(c1, lo, hi)\n  y = Conv(r, u)", ""},
		"no relu":   {"  y = Conv(c1, u)", ""},
		"two":       {"  const w2 = f32[4,4,1,1]{*0.2}\n  const v = f32[1,6,1,1]{*1.0}\n  r = Relu(c1)\n  p = Conv(r, u)\n  q = Conv(r, w2)\n  k = Concat(p, q) {axis=1}\n  y = Conv(k, v)", ""},
		"pool":      {"  r = Relu(c1)\n  p f32[1,4,4,4] = AveragePool(r) {kernel_shape=[2, 2], strides=[2, 2]}\n  y = Conv(p, u)", ""},
		"padding":   {"  const q = f32[2,4,3,3]{*0.1}\n  r = Relu(c1)\n  y = Conv(r, q)" + same, "y reads it with padding"},
		"sum":       {"  r = Relu(c1)\n  y = Add(r, x)", `Add "y" lies between`},
		"output":    {"  y = Relu(c1)", "it reaches an output"},
		"sigmoid":   {"  r = Sigmoid(c1)\n  y = Conv(r, u)", `Sigmoid "r" lies between`},
		"two clips": {"  const lo = f32[]{0.0}\n  const hi = f32[]{6.0}\n  r = Relu(c1)\n  s = Clip(r, lo, hi)\n  y = Conv(s, u)", `Clip "s" lies between`},
	} {
		m := parse(t, "x f32[1,4,8,8]", high+c.body)
		want := outputs(t, m, uniformInput(1))
		first := compressed(t, m, "absorb").Layers[0]
		if c.why != "" {
			if !first.Skipped || !strings.Contains(first.Reason, c.why) {
				t.Errorf("%s: %+v", name, first)
			}
			continue
		}
		if first.Skipped {
			t.Errorf("%s: %s", name, first.Reason)
			continue
		}
		for i, got := range outputs(t, m, uniformInput(1)) {
			if math.Abs(float64(got-want[i])) > 1e-5 {
				t.Errorf("%s: element %d is %v, was %v", name, i, got, want[i])
				break
			}
		}
		if s := m.Graph.Value("c1").Stats; math.Abs(s.Mean[0]-0.75) > 1e-9 || s.Mean[2] != 0.2 {
			t.Errorf("%s: the means are now %v", name, s.Mean)
		}
	}
}

// TestCorrect: the mean error of what layers compute all but disappears, be the
// bias float, integer codes or absent.
func TestCorrect(t *testing.T) {
	for name, c := range map[string]struct{ recipe, layer string }{
		"float bias": {"uniform(w=3)", "Conv(r, u, bias)"},
		"no bias":    {"uniform(w=3)", "Conv(r, u)"},
		"codes":      {"uniform(w=3,a=8)", "Conv(r, u, bias)"},
		"padding":    {"uniform(w=3)", "Conv(r, q, bias)" + strings.TrimSpace(same)},
	} {
		body := high + "  const bias = f32[2]{0.1, -0.1}\n  const q = f32[2,4,3,3]{" + bumpy(72) + "}\n  r = Relu(c1)\n  y = " + c.layer
		build := func(recipe string) *ir.Model {
			m := parse(t, "x f32[1,4,8,8]", body)
			compressed(t, m, recipe+";c1:skip")
			return m
		}
		plain, fixed := build(c.recipe), build(c.recipe+"+correct")
		want, before, after := parse(t, "x f32[1,4,8,8]", body), make([]float64, 2), make([]float64, 2)
		for seed := range uint64(30) {
			x := uniformInput(seed)
			exact := outputs(t, want, x)
			for i, e := range outputs(t, plain, x) {
				before[i/64] += float64(e-exact[i]) / (64 * 30)
			}
			for i, e := range outputs(t, fixed, x) {
				after[i/64] += float64(e-exact[i]) / (64 * 30)
			}
		}
		for o := range after {
			if math.Abs(after[o]) > 0.15*math.Abs(before[o])+0.002 {
				t.Errorf("%s: the mean error of channel %d was %.4f and is %.4f", name, o, before[o], after[o])
			}
		}
	}
}

// bumpy lists n numbers that no coarse grid holds.
func bumpy(n int) string {
	r := rand.New(rand.NewPCG(8, 9))
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.6f", 0.3*r.NormFloat64())
	}
	return b.String()
}

// TestCorrectNeedsTheWeights: weights that were compressed in another run cannot
// be corrected, and the report says so; a recipe that compresses none is refused.
func TestCorrectNeedsTheWeights(t *testing.T) {
	m := parse(t, "x f32[1,4,8,8]", high+"  r = Relu(c1)\n  y = Conv(r, u)")
	compressed(t, m, "uniform(w=4)")
	for _, l := range compressed(t, m, "uniform(w=4)+correct").Layers {
		if l.Step == "correct" && (!l.Skipped || !strings.Contains(l.Reason, "its original weights are not known")) {
			t.Errorf("%+v", l)
		}
	}
	if _, err := compress.Parse("correct"); err == nil || !strings.Contains(err.Error(), "nothing to correct") {
		t.Errorf("correct alone: %v", err)
	}
}
