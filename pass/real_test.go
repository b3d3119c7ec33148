package pass_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pare/engine"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// open reads a real network. Those without weights get random ones of a
// realistic scale, batch-norms included.
func open(t *testing.T, name string, weights bool) *ir.Model {
	t.Helper()
	path := assets.Path(t, name)
	bare := strings.HasPrefix(name, "speed/")
	if bare {
		path = withWeights(t, path)
	}
	f, err := onnx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if bare && weights {
		initialise(f.Model)
	}
	return f.Model
}

// withWeights puts a network beside an external file of zeros.
func withWeights(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	list, err := os.ReadFile(strings.TrimSuffix(path, ".onnx") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		File  string
		Bytes int64
	}
	if err := json.Unmarshal(list, &manifest); err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(to, model, 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := os.Create(filepath.Join(dir, manifest.File))
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	if err := data.Truncate(manifest.Bytes); err != nil {
		t.Fatal(err)
	}
	return to
}

// initialise draws weights by fan-in, and batch-norms near the identity.
func initialise(m *ir.Model) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, n := range m.Graph.Nodes {
		for i, v := range n.In {
			if v == nil || v.Const == nil || i == 0 || v.Const.Type != tensor.Float32 {
				continue
			}
			x := make([]float32, v.Const.Len())
			fan := 1
			if v.Const.Rank() > 1 {
				fan = v.Const.Len() / v.Const.Shape[0]
			}
			for k := range x {
				z := r.NormFloat64()
				switch {
				case n.Op == "BatchNormalization" && (i == 1 || i == 4):
					x[k] = float32(0.5 + r.Float64())
				case v.Const.Rank() < 2:
					x[k] = float32(0.3 * z)
				default:
					x[k] = float32(z * math.Sqrt(2/float64(fan)))
				}
			}
			if v.Const.Len() > 1 {
				v.Const = tensor.Of(v.Const.Shape, x)
			}
		}
	}
}

// feed makes random inputs for a network; size says how large open dimensions
// are.
func feed(t *testing.T, m *ir.Model, size func(axis int, d ir.Dim) int) map[string]*tensor.Tensor {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	in := map[string]*tensor.Tensor{}
	for _, v := range m.Graph.Inputs {
		if v.Const != nil {
			continue
		}
		shape := make([]int, len(v.Type.Shape))
		for i, d := range v.Type.Shape {
			if shape[i] = d.N; !d.IsKnown() {
				shape[i] = size(i, d)
			}
		}
		x := make([]float64, tensor.Len(shape))
		for i := range x {
			if x[i] = r.NormFloat64(); v.Type.DType.IsInt() {
				x[i] = float64(r.IntN(2))
			}
		}
		var err error
		if in[v.Name], err = tensor.FromFloat64s(v.Type.DType, shape, x); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

// infer runs a network in the engine, which folds by code of its own.
func infer(t *testing.T, m *ir.Model, in map[string]*tensor.Tensor) []op.Val {
	t.Helper()
	p, err := engine.Compile(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := p.NewSession().Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	var out []op.Val
	for _, v := range m.Graph.Outputs {
		out = append(out, results[v.Name])
	}
	return out
}

// TestReal simplifies and folds real networks and compares their outputs: nodes
// before and after, batch-norms and how many of them fold.
func TestReal(t *testing.T) {
	two := func(int, ir.Dim) int { return 2 }
	one := func(int, ir.Dim) int { return 1 }
	tests := []struct {
		file          string
		before, after int
		total, folded int
		size          func(axis int, d ir.Dim) int // nil: too slow to run
	}{
		{"cifar10/resnet20.onnx", 137, 75, 19, 19, two},
		{"cifar10/resnet56.onnx", 263, 201, 55, 55, two},
		{"cifar10/vit_tiny.onnx", 133, 80, 5, 5, two},
		{"imagenet/mobilenet_v1_0.75.onnx", 249, 89, 27, 27, one},
		{"imagenet/mobilenet_v2_1.0.onnx", 281, 105, 0, 0, nil},
		{"speed/densenet121.onnx", 859, 427, 121, 62, one},
		{"speed/efficientnet_b0.onnx", 479, 288, 49, 49, one},
		{"speed/mobilenet_v2.onnx", 404, 152, 52, 52, nil},
		{"speed/mobilenet_v3_large.onnx", 375, 207, 46, 46, one},
		{"speed/resnet18.onnx", 141, 69, 20, 20, nil},
		{"speed/resnet50.onnx", 375, 175, 53, 53, nil},
		{"speed/vit_b_16.onnx", 1733, 619, 0, 0, nil},
		{"language/minilm-l6.onnx", 692, 326, 0, 0, func(axis int, _ ir.Dim) int { return 2 + 5*axis }},
		{"language/stories260K.onnx", 1370, 523, 0, 0, nil},
		{"models/yunet_n.onnx", 163, 115, 0, 0, func(axis int, _ ir.Dim) int { return max(1, 64*min(1, axis)) }},
		{"models/fastestdet.onnx", 211, 211, 0, 0, one},
		{"models/espcn_qonnx.onnx", 20, 20, 3, 0, nil},
		{"models/qdq_conv.onnx", 3, 3, 0, 0, two},
	}
	for _, tc := range tests {
		t.Run(tc.file, func(t *testing.T) {
			m := open(t, tc.file, tc.size != nil)
			var in map[string]*tensor.Tensor
			var want []op.Val
			if tc.size != nil {
				in = feed(t, m, tc.size)
				want = infer(t, m, in)
			}
			rep, err := pass.Simplify(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Before != tc.before || rep.After != tc.after {
				t.Errorf("simplified from %d to %d nodes, want %d to %d", rep.Before, rep.After, tc.before, tc.after)
			}
			if tc.size != nil {
				if d := difference(t, infer(t, m, in), want); d > 1e-6 {
					t.Errorf("simplified, outputs differ by %g", d)
				}
			}
			fold, err := pass.FoldBatchNorms(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			if fold.Total != tc.total || fold.Folded != tc.folded || len(fold.Kept) != tc.total-tc.folded {
				t.Errorf("folded %d of %d batch-norms, want %d of %d: %v", fold.Folded, fold.Total, tc.folded, tc.total, fold.Kept)
			}
			if tc.size != nil && fold.Folded > 0 {
				if d := difference(t, infer(t, m, in), want); d > 1e-5 {
					t.Errorf("folded, outputs differ by %g", d)
				}
			}
		})
	}
}
