package quant_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pare/compress"
	"pare/compress/compresstest"
	"pare/dataset"
	"pare/engine"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	_ "pare/quant"
	"pare/tensor"
)

// TestFoldContract runs the suite alone and before what builds on its statistics.
func TestFoldContract(t *testing.T) {
	compresstest.RunAll(t, "fold", "fold(both=true)", "fold+powerquant(w=4)", "fold+uniform(w=8,a=8)")
}

// TestFoldReal folds every batch-norm of real networks, moves no prediction on
// real images, and leaves the statistics that activations are quantised by.
func TestFoldReal(t *testing.T) {
	for _, tc := range []struct {
		file   string
		images string
		folded int
	}{
		{"cifar10/resnet20.onnx", "cifar10:%s?mean=0.485,0.456,0.406&std=0.229,0.224,0.225", 19},
		{"cifar10/vit_tiny.onnx", "cifar10:%s?mean=0.4914,0.4822,0.4465&std=0.2023,0.1994,0.2010", 5},
	} {
		t.Run(tc.file, func(t *testing.T) {
			f, err := onnx.Open(assets.Path(t, tc.file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			x := images(t, fmt.Sprintf(tc.images, assets.Path(t, "cifar10/test_5000.bin")), 200)
			want := evaluate(t, f.Model, x)
			rep := folded(t, f.Model)
			if rep.Folded != tc.folded || len(rep.Kept) != 0 || rep.Simplified < 50 || rep.BytesAfter > rep.BytesBefore {
				t.Errorf("the step reports %+v", rep)
			}
			got := evaluate(t, f.Model, x)
			if d := distance(got, want); d > 1e-5 {
				t.Errorf("outputs differ by %g", d)
			}
			if !slices.Equal(classes(got), classes(want)) {
				t.Error("a prediction moved")
			}
			known := 0
			for v := range f.Model.Graph.Values {
				if v.Stats != nil && strings.HasPrefix(v.Stats.Source, "batch-norm ") {
					known++
				}
			}
			if known != tc.folded {
				t.Errorf("%d values have statistics", known)
			}
		})
	}
}

// folded applies the method and returns its report.
func folded(t *testing.T, m *ir.Model) compress.StepReport {
	t.Helper()
	r, err := compress.Parse("fold")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := r.Run(context.Background(), m, compress.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rep.Steps[0]
}

// images reads the first n of a set of images, prepared for the network.
func images(t *testing.T, spec string, n int) *tensor.Tensor {
	t.Helper()
	set, err := dataset.Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	b, err := set.Batch(context.Background(), 0, n)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range b.Inputs {
		return x
	}
	return nil
}

func evaluate(t *testing.T, m *ir.Model, x *tensor.Tensor) []float64 {
	t.Helper()
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.NewSession().Run(context.Background(), map[string]*tensor.Tensor{m.Graph.Inputs[0].Name: x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float64s(out[m.Graph.Outputs[0].Name])
}

// classes is the largest of every ten.
func classes(scores []float64) []int {
	var out []int
	for row := range slices.Chunk(scores, 10) {
		out = append(out, slices.Index(row, slices.Max(row)))
	}
	return out
}

// distance is the largest difference relative to the largest magnitude.
func distance(got, want []float64) float64 {
	top, diff := 0.0, 0.0
	for i := range want {
		top, diff = max(top, math.Abs(want[i])), max(diff, math.Abs(got[i]-want[i]))
	}
	return diff / top
}
