package engine_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"testing"

	"pare/engine"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/tensor"
)

// networks are real networks, with the sizes of symbolic dimensions.
var networks = []struct {
	path  string
	sizes map[string]int
}{
	{"cifar10/resnet20.onnx", map[string]int{"batch": 3}},
	{"cifar10/vit_tiny.onnx", map[string]int{"batch_size": 2}},
	{"imagenet/mobilenet_v1_0.75.onnx", map[string]int{"batch": 1}},
	{"imagenet/mobilenet_v2_1.0.onnx", map[string]int{"batch": 1}},
	{"language/minilm-l6.onnx", map[string]int{"batch": 5}},
	{"language/stories260K.onnx", map[string]int{"batch": 1, "seq": 2, "past": 0}},
	{"language/stories260K.onnx", map[string]int{"batch": 2, "seq": 1, "past": 1}},
	{"models/espcn_float.onnx", nil},
	{"models/fastestdet.onnx", nil},
	{"models/matmul.bf16.onnx", nil},
	{"models/matmul.fp16.onnx", nil},
	{"models/mnist-cntk.onnx", nil},
	{"models/sparse.conv.onnx", nil},
	{"models/scan.onnx", nil},
	{"models/loop.onnx", nil},
	{"models/nonzero.onnx", nil},
	{"models/qdq_conv.onnx", nil},
	{"models/yunet_n.onnx", map[string]int{"batch": 1, "height": 96, "width": 128}},
	{"models/ext_weights/ext_weights.onnx", nil},
}

// TestNetworks compares real networks with the reference evaluation. Classifiers
// of small pictures see real ones.
func TestNetworks(t *testing.T) {
	for _, n := range networks {
		t.Run(n.path, func(t *testing.T) {
			f, err := onnx.Open(assets.Path(t, n.path))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			in := inputsFor(t, f.Model, n.sizes)
			kernels := compare(t, f.Model, in)
			slow := map[string]int{}
			for _, k := range kernels {
				slow[k]++
			}
			t.Logf("%d steps, %d by reference", len(kernels), slow["reference"])
		})
	}
}

// inputsFor is inputsOf with a size for every symbol, and pictures where they
// fit.
func inputsFor(t *testing.T, m *ir.Model, sizes map[string]int) map[string]*tensor.Tensor {
	in := map[string]*tensor.Tensor{}
	for _, v := range m.Graph.Inputs {
		if v.Const != nil {
			continue
		}
		shape := make([]int, len(v.Type.Shape))
		for i, d := range v.Type.Shape {
			shape[i] = d.N
			if d.N < 0 {
				n, ok := sizes[d.Sym]
				if !ok {
					t.Fatalf("no size for %v of input %s", d, v.Name)
				}
				shape[i] = n
			}
		}
		in[v.Name] = fill(v.Name, tensor.New(v.Type.DType, shape...))
		if len(shape) == 4 && slices.Equal(shape[1:], []int{3, 32, 32}) {
			in[v.Name] = pictures(t, shape[0])
		}
	}
	return in
}

// pictures are the first n of the CIFAR-10 test set.
func pictures(t *testing.T, n int) *tensor.Tensor {
	data, err := os.ReadFile(assets.Path(t, "cifar10/test_5000.bin"))
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.New(tensor.Float32, n, 3, 32, 32)
	values := tensor.Data[float32](x)
	mean, std := []float32{0.485, 0.456, 0.406}, []float32{0.229, 0.224, 0.225}
	for i := range values {
		image, at := i/3072, i%3072
		values[i] = (float32(data[image*3073+1+at])/255 - mean[at/1024]) / std[at/1024]
	}
	return x
}

// TestSpeedNetworks compares one architecture of each kind with every value by
// reference, on untrained weights.
func TestSpeedNetworks(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: evaluates large networks by reference")
	}
	for _, name := range []string{"mobilenet_v3_large", "efficientnet_b0"} {
		t.Run(name, func(t *testing.T) {
			m := speedModel(t, name)
			compare(t, m, inputsOf(m, 1))
		})
	}
}

// TestRowsSuffice: networks that speed is measured on need no reference.
func TestRowsSuffice(t *testing.T) {
	for _, name := range speedNetworks[:6] {
		m := speedModel(t, name)
		s, in := open(t, m, engine.Options{})
		steps, err := s.Profile(context.Background(), in, 1)
		if err != nil {
			t.Fatal(err)
		}
		slow := map[string]bool{}
		for _, st := range steps {
			if st.Kernel == "reference" {
				slow[st.Op] = true
			}
		}
		if len(slow) > 0 {
			t.Errorf("%s: %v by reference", name, slices.Sorted(maps.Keys(slow)))
		}
	}
}
