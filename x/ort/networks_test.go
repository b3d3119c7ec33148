package ort_test

import (
	"context"
	"strings"
	"testing"

	"pare"
	"pare/dataset"
	"pare/eval"
	"pare/internal/assets"
	"pare/internal/npy"
	"pare/ir"
	"pare/tensor"
)

// network is a file to be judged on, and where its inputs come from.
type network struct {
	file string
	// The data's specification in parts, the path below the assets; kind "" for
	// random inputs.
	kind, data, options string
	samples             int
	least               float64                                                                // signal-to-noise ratio, in decibels; 0 for leastFloat
	adapt               func(m *ir.Model)                                                      // makes a network that the driver can run; nil for the file as it is
	feed                func(t *testing.T, n network, m *pare.Model) map[string]*tensor.Tensor // nil for the data as they come
	refused             string                                                                 // why ONNX Runtime does not load the original; "" when it does
}

// Preprocessing of the data.
const (
	cifar    = "mean=0.485,0.456,0.406&std=0.229,0.224,0.225"
	cifarViT = "mean=0.4914,0.4822,0.4465&std=0.2023,0.1994,0.2010"
	imagenet = "crop=224&mean=0.5&std=0.5"
	bytes    = "&std=0.00392156862745098" // pixels from 0 to 255
)

const samplesOfTokens = 2

var networks = []network{
	{file: "cifar10/resnet20.onnx", kind: "cifar10", data: "cifar10/test_5000.bin", options: cifar, samples: 16},
	{file: "cifar10/resnet56.onnx", kind: "cifar10", data: "cifar10/test_5000.bin", options: cifar, samples: 16},
	{file: "cifar10/vit_tiny.onnx", kind: "cifar10", data: "cifar10/test_5000.bin", options: cifarViT, samples: 16},
	{file: "imagenet/mobilenet_v1_0.75.onnx", kind: "images", data: "imagenet/val", options: imagenet, samples: 4},
	{file: "imagenet/mobilenet_v2_1.0.onnx", kind: "images", data: "imagenet/val", options: imagenet, samples: 4},
	{file: "language/stories260K.onnx", kind: "tokens", data: "language/tinystories_tokens.npz", samples: samplesOfTokens, adapt: scoring},
	{file: "language/minilm-l6.onnx", data: "language/stsb_750.npz", samples: 4, feed: sentences},
	{file: "models/yunet_n.onnx", kind: "images", data: "imagenet/calibration", options: "crop=224&order=bgr" + bytes, samples: 2},
	{file: "models/fastestdet.onnx", kind: "images", data: "imagenet/calibration", options: "resize=352&crop=352&order=bgr", samples: 1},
	{file: "models/super_resolution_old.onnx", kind: "images", data: "imagenet/val", options: "crop=224", samples: 1, feed: firstPlane},
	{file: "models/espcn_float.onnx", kind: "images", data: "imagenet/val", options: "crop=4", samples: 1},
	{file: "models/mnist-cntk.onnx", kind: "images", data: "imagenet/val", options: "crop=28" + bytes, samples: 1, feed: firstPlane,
		refused: "Add of operator set 1"},
	{file: "models/qdq_conv.onnx", refused: "no inputs, without which the driver cannot run it"},
	{file: "models/loop.onnx"},
	{file: "models/scan.onnx"},
	{file: "models/nonzero.onnx"},
	{file: "models/sparse.conv.onnx"},
	{file: "models/matmul.fp16.onnx", adapt: inFloat, least: leastHalf},
	{file: "models/matmul.bf16.onnx", refused: "no product of bfloat16"},
	{file: "models/ext_weights/ext_weights.onnx"},
	{file: "models/espcn_qonnx.onnx", refused: "operators of a private domain"},
}

// set opens the network's data, nil where they do not fit it as they come.
func (n network) set(t *testing.T, m *pare.Model) dataset.Set {
	t.Helper()
	if n.kind == "" || n.feed != nil {
		return nil
	}
	return n.open(t, m)
}

func (n network) open(t *testing.T, m *pare.Model) dataset.Set {
	t.Helper()
	set, err := m.OpenData(n.kind + ":" + assets.Path(t, n.data) + "?" + n.options)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// batch is the first samples of the network's data.
func (n network) batch(t *testing.T, m *pare.Model) dataset.Batch {
	t.Helper()
	b, err := n.open(t, m).Batch(context.Background(), 0, n.samples)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// inputs are those that the network is judged on.
func (n network) inputs(t *testing.T, m *pare.Model) map[string]*tensor.Tensor {
	t.Helper()
	switch {
	case n.feed != nil:
		return n.feed(t, n, m)
	case n.kind != "":
		return bound(t, m, n.batch(t, m), n.samples)
	}
	in, _, err := m.RandomInputs(pare.Random{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func bound(t *testing.T, m *pare.Model, b dataset.Batch, n int) map[string]*tensor.Tensor {
	t.Helper()
	in, _, err := eval.Bind(m.IR().Graph.Inputs, b, n)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// firstPlane feeds a network of one channel the first channel of pictures.
func firstPlane(t *testing.T, n network, m *pare.Model) map[string]*tensor.Tensor {
	x := n.batch(t, m).Inputs[""]
	h, w := x.Shape[2], x.Shape[3]
	plane := tensor.Of([]int{1, 1, h, w}, tensor.Float32s(x)[:h*w])
	return map[string]*tensor.Tensor{m.IR().Graph.Inputs[0].Name: plane}
}

// sentences are tokenised sentences, padded, with their masks.
func sentences(t *testing.T, n network, _ *pare.Model) map[string]*tensor.Tensor {
	arrays, err := npy.ReadZip(assets.Path(t, n.data))
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]*tensor.Tensor{}
	for _, a := range arrays {
		name, ok := strings.CutPrefix(a.Name, "a_") // the first of two sentences
		if !ok {
			continue
		}
		ids, err := tensor.Convert(a.Tensor, tensor.Int64, tensor.Options{})
		if err != nil {
			t.Fatal(err)
		}
		length := ids.Shape[1]
		in[name] = tensor.Of([]int{n.samples, length}, tensor.Data[int64](ids)[:n.samples*length])
	}
	return in
}
