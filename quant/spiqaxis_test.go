package quant_test

import (
	"math"
	"strings"
	"testing"

	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// TestSpiqPerAxis: behind a Relu each channel has the scale of its own range,
// mean and six deviations at 6 bits, in as many steps as there are codes; what
// the next layer reads has one scale for all channels, and its weights have taken
// up the rest.
func TestSpiqPerAxis(t *testing.T) {
	m := parse(t, "x f32[1,4,8,8]", w3+"  const w2 = f32[4,4,3,3]{*0.2}\n"+
		"  c1"+stats+" = Conv(x, w, b)"+same+"  r1 = Relu(c1)\n  y"+stats+" = Conv(r1, w2, b)"+same)
	before := tensor.Float32s(m.Graph.Value("w2").Const)
	rep := compressed(t, m, "spiq(a=6,form=axis,kappa=1)+uniform(w=8)")
	for _, l := range rep.Layers {
		if l.Step == rep.Steps[0].Step && l.ActivationBits != 6 || rep.Steps[0].Activations != 2 {
			t.Errorf("the report says %+v and %d tensors", l, rep.Steps[0].Activations)
		}
	}
	y := m.Graph.Value("y").Producer()
	even := y.In[0].Producer()
	scales := decodedScales(t, even)
	factors := tensor.Float32s(even.In[1].Const)
	top := scales[3]
	for c, want := range []float64{6, 6.5, 2, 14} { // mean 0, 0.5, -1, 2; deviation 1, 1, 0.5, 2
		if got := 63 * float64(scales[c]); math.Abs(got-want) > 1e-4 {
			t.Errorf("channel %d reaches %v, want %v", c, got, want)
		}
		if got := scales[c] * factors[c]; math.Abs(float64(got/top)-1) > 1e-6 {
			t.Errorf("channel %d has scale %v in the end, want %v", c, got, top)
		}
	}
	w, ok := format.MatchWeight(m, y.In[1])
	if !ok {
		t.Fatal("the weights are not quantised")
	}
	codes, steps := tensor.Ints8(w.Codes), tensor.Data[float32](w.Scale)
	for i, v := range before {
		o, c := i/36, i/9%4
		if d := v*scales[c]/top - float32(codes[i])*steps[o]; math.Abs(float64(d)) > 0.501*float64(steps[o]) {
			t.Errorf("weight %d is off by %v steps", i, d/steps[o])
		}
	}
}

// TestSpiqPerAxisOfDeadChannel: a channel that never fires has a small scale, not
// one that sets those of the others.
func TestSpiqPerAxisOfDeadChannel(t *testing.T) {
	dead := strings.ReplaceAll(stats, "mean=[0.0,", "mean=[-20.0,")
	m := parse(t, "x f32[1,4,8,8]", w3+"  const w2 = f32[4,4,3,3]{*0.2}\n  c1"+dead+" = Conv(x, w, b)"+same+"  r1 = Relu(c1)\n  y"+dead+" = Conv(r1, w2, b)"+same)
	compressed(t, m, "spiq(a=6,form=axis,kappa=1)+uniform(w=8)")
	scales := decodedScales(t, m.Graph.Value("y").Producer().In[0].Producer())
	if !(scales[0] > 0 && scales[0] < scales[2]) {
		t.Errorf("scales %v", scales)
	}
}

// decodedScales are the scales of the pair whose channels n evens out.
func decodedScales(t *testing.T, n *ir.Node) []float32 {
	t.Helper()
	if n == nil || n.Op != "Mul" {
		t.Fatalf("the layer reads %v, want a Mul", n)
	}
	decode := n.In[0].Producer()
	code := decode.In[0].Producer()
	if decode.Op != "DequantizeLinear" || code.Op != "QuantizeLinear" || decode.Int("axis", 0) != 1 || code.Int("axis", 0) != 1 {
		t.Fatalf("%v and %v are no pair along the channels", code, decode)
	}
	return tensor.Float32s(decode.In[1].Const)
}
