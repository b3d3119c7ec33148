package engine_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"pare/engine"
	"pare/internal/assets"
	"pare/onnx"
	"pare/tensor"
)

func TestWinograd(t *testing.T) {
	check(t, []rowCase{
		{"residual", `(x f32[N,24,13,10]) -> (y) { const w = f32[32,24,3,3]{*0.0}
			const w2 = f32[32,32,3,3]{*0.0}
			const wb = f32[32]{*0.0}
			a = Conv(x, w, wb) {pads=[1,1,1,1]}
			b = Conv(a, w2) {pads=[1,1,1,1]}
			c = Add(b, a)
			y = Relu(c) }`, []string{"to channels last", "winograd 4x4", "winograd 4x4", "to channels first"}},
		{"few tiles", `(x f32[1,64,8,8]) -> (y) { const w = f32[64,64,3,3]{*0.0}
			y = Conv(x, w) {pads=[1,1,1,1]} }`, []string{"to channels last", "winograd 2x2", "to channels first"}},
		{"slices of a concatenation", `(x f32[N,3,12,12]) -> (y) { const w = f32[16,3,1,1]{*0.0}
			const w1 = f32[16,16,3,3]{*0.0}
			const w2 = f32[24,32,3,3]{*0.0}
			a = Conv(x, w)
			b = Conv(a, w1) {pads=[1,1,1,1]}
			c = Concat(a, b) {axis=1}
			y = Conv(c, w2) }`, []string{"to channels last", "conv 1x1", "winograd 4x4", "winograd 4x4", "to channels first"}},
		{"other filters", `(x f32[N,16,12,12]) -> (y) { const w = f32[16,16,3,3]{*0.0}
			const w2 = f32[16,16,5,5]{*0.0}
			a = Conv(x, w) {strides=[2,2]}
			y = Conv(a, w2) {pads=[2,2,2,2]} }`, []string{"to channels last", "conv 3x3", "conv 5x5", "to channels first"}},
	})
}

// resnet20 runs the network on the first n test pictures and returns the logits
// and the kernels.
func resnet20(t *testing.T, n int, o engine.Options) ([]float64, []string) {
	t.Helper()
	f, err := onnx.Open(assets.Path(t, "cifar10/resnet20.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, _ := open(t, f.Model, o)
	in := map[string]*tensor.Tensor{f.Model.Graph.Inputs[0].Name: pictures(t, n)}
	steps, err := s.Profile(context.Background(), in, 1)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	var kernels []string
	for _, st := range steps {
		kernels = append(kernels, st.Kernel)
	}
	return tensor.Float64s(out[f.Model.Graph.Outputs[0].Name]), kernels
}

// TestWinogradNetwork holds what sixteen layers in Winograd's form do to the
// logits of a trained network: 115 dB below them, and no other class.
func TestWinogradNetwork(t *testing.T) {
	const n = 20
	want, direct := resnet20(t, n, engine.Options{Threads: 2, Direct: true})
	got, kernels := resnet20(t, n, engine.Options{Threads: 2})
	isWinograd := func(k string) bool { return k == "winograd 4x4" || k == "winograd 2x2" }
	if slices.ContainsFunc(direct, isWinograd) || !slices.ContainsFunc(kernels, isWinograd) {
		t.Fatalf("direct form: %q\nelse: %q", direct, kernels)
	}
	var noise, signal float64
	for i, w := range want {
		noise += (got[i] - w) * (got[i] - w)
		signal += w * w
	}
	snr := 10 * math.Log10(signal/noise)
	t.Logf("signal-to-noise ratio %.1f dB", snr)
	if !(snr >= 115) {
		t.Errorf("signal-to-noise ratio %.1f dB, want at least 115", snr)
	}
	classes := len(want) / n
	for i := range n {
		a, b := want[i*classes:][:classes], got[i*classes:][:classes]
		if slices.Index(a, slices.Max(a)) != slices.Index(b, slices.Max(b)) {
			t.Errorf("picture %d: %v, direct %v", i, b, a)
		}
	}
}

// TestWinogradThreads demands the same bits for any number of threads.
func TestWinogradThreads(t *testing.T) {
	want, _ := resnet20(t, 3, engine.Options{Threads: 1})
	for _, threads := range []int{2, 3, 8} {
		if got, _ := resnet20(t, 3, engine.Options{Threads: threads}); !slices.Equal(got, want) {
			t.Errorf("%d threads give other results", threads)
		}
	}
}

// TestWinogradSteadyState: layers in Winograd's form allocate nothing.
func TestWinogradSteadyState(t *testing.T) {
	if raced {
		t.Skip("SKIPPED: pools forget at random under the race detector")
	}
	count := func(layers int) float64 {
		body := "(x f32[1,16,16,16]) -> (y) { const w = f32[16,16,3,3]{*0.0}\na0 = Relu(x)\n"
		for i := range layers {
			body += fmt.Sprintf("a%d = Conv(a%d, w) {pads=[1,1,1,1]}\n", i+1, i)
		}
		m := model(t, body+fmt.Sprintf("y = Sigmoid(a%d) }", layers))
		fillConsts(m)
		s, in := open(t, m, engine.Options{Threads: 1})
		return testing.AllocsPerRun(20, func() {
			if _, err := s.Run(context.Background(), in); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(1), count(9); many > few {
		t.Errorf("%v allocations with one layer, %v with nine", few, many)
	}
}
