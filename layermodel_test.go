package pare

import (
	"context"
	"strings"
	"testing"

	"pare/compress"
	"pare/ir"
)

// TestLayerModel: a layer between thin ones computes on codes when compressed, as
// within a network.
func TestLayerModel(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		text  string
		shape []int
	}{
		"conv":      {"(x f32[1,16,9,9]) -> (y) { const w = f32[32,16,3,3]{*0.1}\nconst b = f32[32]{*0.1}\ny = Conv(x, w, b) @layer }", []int{1, 16, 9, 9}},
		"depthwise": {"(x f32[1,16,9,9]) -> (y) { const w = f32[16,1,3,3]{*0.1}\ny = Conv(x, w) {group=16} @layer }", []int{1, 16, 9, 9}},
		"one axis":  {"(x f32[1,16,9]) -> (y) { const w = f32[16,16,3]{*0.1}\ny = Conv(x, w) @layer }", []int{1, 16, 9}},
		"matmul":    {"(x f32[1,7,16]) -> (y) { const w = f32[16,24]{*0.1}\ny = MatMul(x, w) @layer }", []int{1, 7, 16}},
		"gemm":      {"(x f32[5,16]) -> (y) { const w = f32[24,16]{*0.1}\ny = Gemm(x, w) {transB=1} @layer }", []int{5, 16}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ir.Parse(strings.NewReader("opset 18\ngraph g" + c.text))
			if err != nil {
				t.Fatal(err)
			}
			m.IRVersion = 8
			layers := compress.Layers(m)
			one := New(layerModel(m, &layers[0], c.shape))
			if err := ir.Check(one.ir.Graph); err != nil {
				t.Fatal(err)
			}
			if _, err := one.Compress(ctx, "uniform(w=8,a=8)", Options{Input: compress.InputRange{Lo: []float64{-3}, Hi: []float64{3}}}); err != nil {
				t.Fatal(err)
			}
			s, err := one.NewSession(ctx, SessionOptions{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			in, _, err := one.RandomInputs(Random{})
			if err != nil {
				t.Fatal(err)
			}
			steps, err := s.Profile(ctx, in, 1)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, st := range steps {
				if st.Name == "layer" {
					found = true
					if !strings.HasPrefix(st.Kernel, "int") {
						t.Errorf("computed by %s", st.Kernel)
					}
				}
			}
			if !found {
				t.Errorf("no step of the layer among %+v", steps)
			}
		})
	}
}
