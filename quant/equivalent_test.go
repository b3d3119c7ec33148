package quant_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pare/compress"
	"pare/dataset"
	"pare/eval"
	"pare/ir"
	"pare/tensor"
)

// rescalers are the steps that must not change the function.
var rescalers = []string{"equalize(reach=false)+spiq(a=4,kappa=0.5)", "fold+equalize", "fold+equalize(clip=leave)", "fold+spiq", "fold+ocs"}

// rescaled are the networks to try them on.
var rescaled = []struct {
	network, data string
	input         compress.InputRange
}{
	{golden[0].network, golden[0].data, golden[0].input},
	{golden[2].network, golden[2].data, golden[2].input},
	{"imagenet/mobilenet_v2_1.0.onnx", golden[2].data, golden[2].input},
}

// TestRescalingKeepsTheFunction runs real pictures through rescaled networks:
// MobileNets hold dead channels and ReLU6.
func TestRescalingKeepsTheFunction(t *testing.T) {
	for _, g := range rescaled {
		m, set := load(t, g.network), open(t, g.data, 4)
		want := onPictures(t, m, set)
		for _, recipe := range rescalers {
			got := onPictures(t, recompressed(t, m, recipe, compress.Options{Input: g.input, Run: newRunner}), set)
			var d, top float64
			for i := range want {
				d, top = max(d, math.Abs(float64(got[i]-want[i]))), max(top, math.Abs(float64(want[i])))
			}
			t.Logf("%s %s %.2g", g.network, recipe, d/top)
			if !(d <= 1e-5*top) {
				t.Errorf("%s changes %s by %.2g", recipe, g.network, d/top)
			}
		}
	}
}

func recompressed(t *testing.T, m *ir.Model, recipe string, o compress.Options) *ir.Model {
	t.Helper()
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	m = ir.CloneModel(m)
	rep, err := r.Run(context.Background(), m, o)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", recipe, err))
	}
	for _, w := range rep.Warnings {
		t.Log(w)
	}
	return m
}

// onPictures runs all of a set through a network.
func onPictures(t *testing.T, m *ir.Model, set dataset.Set) []float32 {
	t.Helper()
	b, err := set.Batch(context.Background(), 0, set.Len())
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, m)
	in, _, err := eval.Bind(s.Inputs(), b, set.Len())
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float32s(out[s.Outputs()[0].Name])
}
