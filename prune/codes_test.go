package prune

import (
	"context"
	"math/rand/v2"
	"testing"

	"pare/compress"
	"pare/ir"
	"pare/op"
	_ "pare/quant"
	"pare/tensor"
)

// twins is a network of two convolutions and a dense layer in which every channel
// between layers occurs copies times.
func twins(copies int) *ir.Model {
	r := rand.New(rand.NewPCG(4, 7))
	g := &ir.Graph{Name: "twins"}
	x := &ir.Value{Name: "x", Type: ir.TensorType(tensor.Float32, ir.Dims([]int{2, 3, 9, 9})...), Declared: true}
	g.Inputs = []*ir.Value{x}
	constant := func(name string, distinct int, shape ...int) *ir.Value {
		t := tensor.New(tensor.Float32, shape...)
		inner := tensor.Len(shape[1:])
		for i := range tensor.Data[float32](t) {
			tensor.Data[float32](t)[i] = float32(r.NormFloat64())
			if from := i - distinct*inner; from >= 0 {
				tensor.Data[float32](t)[i] = tensor.Data[float32](t)[from]
			}
		}
		v := ir.NewConst(name, t)
		g.Consts = append(g.Consts, v)
		return v
	}
	node := func(name, op string, in []*ir.Value, attrs ...ir.Attr) *ir.Value {
		out := &ir.Value{Name: name}
		g.Nodes = append(g.Nodes, &ir.Node{Name: name, Op: op, In: in, Out: []*ir.Value{out}, Attrs: attrs})
		return out
	}
	n := 12 * copies
	y := node("conv1", "Conv", []*ir.Value{x, constant("w1", 12, n, 3, 3, 3), constant("b1", 12, n)}, ir.IntsAttr("pads", 1, 1, 1, 1))
	y = node("relu1", "Relu", []*ir.Value{y})
	y = node("dw", "Conv", []*ir.Value{y, constant("dw.w", 12, n, 1, 3, 3), constant("dw.b", 12, n)}, ir.Attr{Name: "group", Value: int64(n)})
	y = node("conv2", "Conv", []*ir.Value{y, constant("w2", 12, n, n, 3, 3), constant("b2", 12, n)})
	y = node("relu2", "Relu", []*ir.Value{y})
	y = node("gap", "GlobalAveragePool", []*ir.Value{y})
	y = node("flat", "Flatten", []*ir.Value{y})
	y = node("fc", "Gemm", []*ir.Value{y, constant("fc.w", 10, 10, n), constant("fc.b", 10, 10)}, ir.Attr{Name: "transB", Value: int64(1)})
	g.Outputs = []*ir.Value{y}
	g.Bind()
	return &ir.Model{Graph: g, Opsets: []ir.Opset{{Version: 17}}, IRVersion: 8}
}

// reference are the outputs of the operators' reference on pictures of noise.
func reference(t *testing.T, m *ir.Model) []float32 {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	x := tensor.New(tensor.Float32, 2, 3, 9, 9)
	for i := range tensor.Data[float32](x) {
		tensor.Data[float32](x)[i] = float32(r.NormFloat64())
	}
	out, err := op.Run(context.Background(), m, map[string]op.Val{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Float32s(out[0].(*tensor.Tensor))
}

// Channels that occur several times are merged in a quantised network, which
// computes the same afterwards; codes get as many bits as their sums need.
func TestMergeCodes(t *testing.T) {
	for _, c := range []struct {
		text   string
		copies int
		left   int // channels of 12 times copies
	}{
		{"uniform(w=4)", 2, 12},
		{"uniform(w=8)", 1, 12},
		{"uniform(w=4,symmetric=false)", 2, 24}, // sums lie below the zero point's reach
		{"uniform(w=4,granularity=tensor)", 3, 12},
		{"uniform(w=4,granularity=block,block=4)", 2, 24}, // blocks do not follow
		{"powerquant(w=4)", 2, 24},                        // sums are no levels
		{"rex", 2, 24},
		{"uniform(w=4,a=8)", 2, 12},
		{"uniform(w=4,store=int8)", 2, 12},
	} {
		t.Run(c.text, func(t *testing.T) {
			m := twins(c.copies)
			recipe(t, m, c.text)
			want := reference(t, m)
			gone, err := mergeCodes(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			if err := ir.Check(m.Graph); err != nil {
				t.Fatal(err)
			}
			if d := distance(reference(t, m), want); d > 1e-6 {
				t.Errorf("%.2g from the outputs before", d)
			}
			for _, l := range compress.Layers(m) {
				if l.Encoded == nil {
					continue // too small for its own codes
				}
				shape := l.Encoded.Codes.Shape
				if l.Name != "fc" && shape[0] != c.left || l.Name == "fc" && shape[1] != c.left {
					t.Errorf("%s has the shape %v", l.Name, shape)
				}
			}
			if changed := c.left != 12*c.copies; changed != (gone > 0) {
				t.Errorf("%d channels went", gone)
			}
			for _, v := range m.Graph.Consts {
				if len(v.Uses()) == 0 {
					t.Errorf("nothing reads %q", v.Name)
				}
			}
		})
	}
}
