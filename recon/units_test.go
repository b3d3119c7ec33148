package recon_test

import (
	"slices"
	"strings"
	"testing"

	"pare/compress"
	"pare/ir"
	"pare/recon"
)

// cut divides a real network, folded and quantised, into units.
func cut(t *testing.T, network, how string) []recon.Segment {
	t.Helper()
	o := compress.Options{Input: compress.InputRange{Lo: []float64{-2}, Hi: []float64{2}}}
	f, _ := compressed(t, load(t, network), "fold", o)
	q, _ := compressed(t, f, "uniform(w=4,a=8)", o)
	var layers []compress.Layer
	for _, l := range compress.Layers(q) {
		if l.Encoded != nil && l.Kind != compress.Embedding {
			layers = append(layers, l)
		}
	}
	segments := recon.Cut(q, f, layers, how)
	covered(t, network, segments, layers, q, f)
	return segments
}

// covered: every layer is in one unit, and every unit is a part of both networks that
// holds its layers.
func covered(t *testing.T, network string, list []recon.Segment, layers []compress.Layer, models ...*ir.Model) {
	t.Helper()
	var all []string
	for _, s := range list {
		for _, u := range s.Units {
			all = append(all, u.Layers...)
			for _, m := range models {
				holds(t, network, m, u)
			}
		}
	}
	slices.Sort(all)
	if n := len(all); n != len(slices.Compact(slices.Clone(all))) || n != len(layers) {
		t.Errorf("%s: units hold %d layers of %d", network, n, len(layers))
	}
}

func holds(t *testing.T, network string, m *ir.Model, u recon.Unit) {
	t.Helper()
	var in []*ir.Value
	out := m.Graph.Outputs
	if u.In != "" {
		in = append(in, m.Graph.Value(u.In))
	}
	if u.Out != "" {
		out = []*ir.Value{m.Graph.Value(u.Out)}
	}
	part, _, err := ir.Part(m, in, out)
	if err != nil {
		t.Fatalf("%s, %s: %v", network, u.Name, err)
	}
	if err := ir.Check(part.Graph); err != nil {
		t.Fatalf("%s, %s: %v", network, u.Name, err)
	}
	for _, name := range u.Layers {
		if v := part.Graph.Value(name); v == nil || v.Producer() == nil {
			t.Errorf("%s: the part %s lacks layer %s", network, u.Name, name)
		}
	}
}

func sizes(list []recon.Segment) (out []int) {
	for _, s := range list {
		for _, u := range s.Units {
			out = append(out, len(u.Layers))
		}
	}
	return out
}

// TestBlocks: blocks of real networks are what papers call so.
func TestBlocks(t *testing.T) {
	for network, want := range map[string][]int{
		"cifar10/resnet20.onnx":            {1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1},
		"cifar10/vit_tiny.onnx":            {1, 4, 2, 4, 2, 1}, // patches, attention and MLP twice, head
		"imagenet/mobilenet_v1_0.75.onnx":  {1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1},
		"imagenet/mobilenet_v2_1.0.onnx":   {1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 1},
		"language/minilm-l6.onnx":          {4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 1},
		"models/super_resolution_old.onnx": {1, 1, 1, 1},
	} {
		if got := sizes(cut(t, network, recon.Block)); !slices.Equal(got, want) {
			t.Errorf("%s: units of %v layers, want %v", network, got, want)
		}
	}
}

// TestLayers: layers are units with the function behind them, within blocks as well.
func TestLayers(t *testing.T) {
	list := cut(t, "cifar10/resnet20.onnx", recon.Layer)
	if n := len(recon.Shapes(list)); n != 20 {
		t.Errorf("%d units, want 20", n)
	}
	u := list[1].Units
	if u[0].In != "/Relu_output_0" || u[0].Out != "/layer1/layer1.0/Relu_output_0" || u[1].In != u[0].Out || !strings.HasSuffix(u[1].Out, "conv2/Conv_output_0") {
		t.Errorf("the layers of the first block are %+v", u)
	}
}

// TestDenseAndOdd: networks whose blocks are large, branch or have several outputs are
// fitted layer by layer where nothing else is possible.
func TestDenseAndOdd(t *testing.T) {
	for _, network := range []string{"models/yunet_n.onnx", "models/fastestdet.onnx", "models/mnist-cntk.onnx", "models/espcn_float.onnx", "language/stories260K.onnx"} {
		for _, how := range []string{recon.Block, recon.Layer} {
			cut(t, network, how)
		}
	}
	if list := cut(t, "cifar10/resnet20.onnx", recon.Network); len(list) != 1 || len(list[0].Units) != 1 || len(list[0].Units[0].Layers) != 20 {
		t.Errorf("the network as one unit is %+v", list)
	}
}
