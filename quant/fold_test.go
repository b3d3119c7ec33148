package quant_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/compress"
	"pare/compress/compresstest"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	_ "pare/quant"
	"pare/tensor"
)

// TestFoldContract runs the suite alone and before what builds on its statistics.
func TestFoldContract(t *testing.T) {
	compresstest.RunAll(t, "fold", "fold(both=true)", "fold+powerquant(w=4)", "fold+uniform(w=8,a=8)")
}

// TestFoldReal folds every batch-norm of a real network, moves no prediction,
// and leaves the statistics that activations are quantised by.
func TestFoldReal(t *testing.T) {
	f, err := onnx.Open(assets.Path(t, "cifar10/resnet20.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := noise(2, 3, 32, 32)
	want := evaluate(t, f.Model, x)
	r, err := compress.Parse("fold")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := r.Run(context.Background(), f.Model, compress.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := rep.Steps[0]; s.Folded != 19 || len(s.Kept) != 0 || s.Simplified < 50 || s.BytesAfter > s.BytesBefore {
		t.Errorf("the step reports %+v", s)
	}
	if d := distance(evaluate(t, f.Model, x), want); d > 1e-5 {
		t.Errorf("outputs differ by %g", d)
	}
	known := 0
	for v := range f.Model.Graph.Values {
		if v.Stats != nil && strings.HasPrefix(v.Stats.Source, "batch-norm ") {
			known++
		}
	}
	if known != 19 {
		t.Errorf("%d values have statistics", known)
	}
}

func noise(shape ...int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, tensor.Len(shape))
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return tensor.Of(shape, x)
}

func evaluate(t *testing.T, m *ir.Model, x *tensor.Tensor) []float64 {
	t.Helper()
	out, err := op.RunList(context.Background(), m, []op.Val{x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float64s(out[0].(*tensor.Tensor))
}

// distance is the largest difference relative to the largest magnitude.
func distance(got, want []float64) float64 {
	top, diff := 0.0, 0.0
	for i := range want {
		top, diff = max(top, math.Abs(want[i])), max(diff, math.Abs(got[i]-want[i]))
	}
	return diff / top
}
