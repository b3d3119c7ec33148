package pare_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pare"
	"pare/compress"
	"pare/internal/assets"
	"pare/internal/cpu"
	"pare/tensor"
)

// levelNetworks are real networks with the recipes that make integer ones of them.
// Between the integers of a transformer lie steps of floats: those of MiniLM have
// layer norms, GELU and softmax whose portable forms round otherwise than the
// vectors, which fuse multiplications and additions; at this level the output is
// only near.
var levelNetworks = []struct {
	file    string
	shape   []int // of all inputs, where the network leaves it open
	recipes []string
	near    bool
}{
	{file: "cifar10/resnet20.onnx", recipes: append(levelRecipes, "fold+rex(base=uniform(w=4,a=8),bits=2)")},
	{file: "cifar10/resnet56.onnx", recipes: levelRecipes},
	{file: "cifar10/vit_tiny.onnx", recipes: levelRecipes},
	{file: "imagenet/mobilenet_v1_0.75.onnx", recipes: levelRecipes},
	{file: "imagenet/mobilenet_v2_1.0.onnx", recipes: levelRecipes},
	{file: "language/minilm-l6.onnx", shape: []int{1, 8}, recipes: levelRecipes, near: true},
}

var levelRecipes = []string{"fold+uniform(w=8,a=8)", "fold+uniform(w=4,a=8)", "fold+uniform(w=4,a=4)"}

// levelRuns are the ways to run each of them.
var levelRuns = []struct {
	level   string
	threads int
}{{"avx512", 1}, {"avx512", 2}, {"avx512", 3}, {"avx2", 2}, {"generic", 3}}

// TestSameIntegers compares hashes of all outputs of integer networks between
// levels of the processor and numbers of threads.
func TestSameIntegers(t *testing.T) {
	for _, n := range levelNetworks {
		for _, recipe := range n.recipes {
			t.Run(n.file+"/"+recipe, func(t *testing.T) {
				m, in := integerNetwork(t, n.file, recipe, n.shape)
				var first map[string]*tensor.Tensor
				for _, r := range levelRuns {
					restore, _ := cpu.Cap(r.level)
					out := outputs(t, m, r.threads, in)
					restore()
					if first == nil {
						first = out
					}
					switch {
					case hash(out) == hash(first):
					case n.near && r.level == "generic":
						nearby(t, out, first)
					default:
						t.Errorf("%s with %d threads: other outputs than %s with %d", r.level, r.threads, levelRuns[0].level, levelRuns[0].threads)
					}
				}
			})
		}
	}
}

// integerNetwork compresses a network and makes inputs for it.
func integerNetwork(t *testing.T, file, recipe string, shape []int) (*pare.Model, map[string]*tensor.Tensor) {
	m, err := pare.Load(assets.Path(t, file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	if _, err := m.Compress(context.Background(), recipe, pare.Options{Input: compress.InputRange{Lo: []float64{-2.2}, Hi: []float64{2.7}}}); err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int{}
	for _, v := range m.IR().Graph.Inputs {
		if shape != nil {
			shapes[v.Name] = shape
		}
	}
	in, _, err := m.RandomInputs(pare.Random{Seed: 1, Batch: 1, Shapes: shapes})
	if err != nil {
		t.Fatal(err)
	}
	return m, in
}

func outputs(t *testing.T, m *pare.Model, threads int, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	s, err := m.NewSession(context.Background(), pare.SessionOptions{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func hash(out map[string]*tensor.Tensor) [sha256.Size]byte {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(out)) {
		fmt.Fprintln(h, name, out[name].Shape)
		h.Write(out[name].Bytes())
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// nearby demands outputs that codes on the other side of a tie explain.
func nearby(t *testing.T, out, first map[string]*tensor.Tensor) {
	for name, x := range first {
		if off := distance(tensor.Float32s(x), tensor.Float32s(out[name])); !(off < 0.01) {
			t.Errorf("%s is off by %.2g of its norm", name, off)
		} else {
			t.Logf("%s is off by %.2g of its norm", name, off)
		}
	}
}
