package pare_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"pare"
	"pare/compress"
	"pare/internal/assets"
	"pare/internal/cpu"
	"pare/tensor"
)

// TestIntegerNetworks: quantised networks run on codes, with the same bits on
// every processor and for any number of threads, and with the decisions of the
// reference, which computes on floats.
func TestIntegerNetworks(t *testing.T) {
	for _, recipe := range []string{
		"fold+uniform(w=8,a=8)", "fold+uniform(w=4,a=6)", "fold+rex(base=uniform(w=4,a=8),bits=2)", "fold+rex(base=uniform(w=4,a=4),inputs=2)",
		"fold+rex(base=powerquant(w=4,a=4))", "fold+rex(base=powerquant(w=4,a=4),order=2,bits=4,budget=0)",
	} {
		t.Run(recipe, func(t *testing.T) {
			ctx := context.Background()
			m, err := pare.Load(assets.Path(t, "cifar10/resnet20.onnx"))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if _, err := m.Compress(ctx, recipe, pare.Options{Input: compress.InputRange{Lo: []float64{-2.2}, Hi: []float64{2.7}}}); err != nil {
				t.Fatal(err)
			}
			in := pictures(t, 4)
			slow := logits(t, m, pare.SessionOptions{Reference: true}, in, false)
			var first []float32
			for threads, level := range cpu.Levels() {
				restore, _ := cpu.Cap(level)
				fast := logits(t, m, pare.SessionOptions{Threads: 1 + threads%2}, in, true)
				restore()
				if first == nil {
					first = fast
				}
				if !slices.Equal(fast, first) {
					t.Errorf("%s computes other bits", level)
				}
			}
			flipped := 0
			const classes = 10
			for i := 0; i < len(slow); i += classes {
				off := distance(slow[i:i+classes], first[i:i+classes])
				if off > 0.02 {
					flipped++
				}
				if off > 0.15 {
					t.Errorf("logits of picture %d are off by %.1f %%", i/classes, 100*off)
				}
			}
			// Where a sum lies between two coarse codes, one flips, and what follows it.
			if flipped > 1 {
				t.Errorf("logits of %d pictures are off by more than 2 %%", flipped)
			}
		})
	}
}

// distance is the norm of the difference, relative to x.
func distance(x, y []float32) float64 {
	var square, energy float64
	for i, v := range x {
		square += math.Pow(float64(v-y[i]), 2)
		energy += float64(v) * float64(v)
	}
	return math.Sqrt(square / energy)
}

// pictures are the first n of the CIFAR-10 test set.
func pictures(t *testing.T, n int) map[string]*tensor.Tensor {
	d, err := pare.OpenDataWith("cifar10:"+assets.Path(t, "cifar10/test_5000.bin"), "mean=0.485,0.456,0.406&std=0.229,0.224,0.225")
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Batch(context.Background(), 0, n)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range b.Inputs {
		return map[string]*tensor.Tensor{"input": x}
	}
	panic("no input")
}

// logits runs the model and, if asked to, checks that its convolutions are of
// integers.
func logits(t *testing.T, m *pare.Model, o pare.SessionOptions, in map[string]*tensor.Tensor, integers bool) []float32 {
	ctx := context.Background()
	s, err := m.NewSession(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := s.Profile(ctx, in, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range steps {
		if integers && (st.Op == "Conv" || st.Op == "Gemm") && !strings.HasPrefix(st.Kernel, "int") {
			t.Errorf("%s is computed by %s", st.Name, st.Kernel)
		}
	}
	return tensor.Data[float32](out["logits"])
}
