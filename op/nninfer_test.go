package op_test

import (
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// TestShapesStaySymbolic infers types where batch and image sizes are symbols.
func TestShapesStaySymbolic(t *testing.T) {
	n, h, w := ir.Symbol("N"), ir.Symbol("H"), ir.Symbol("W")
	image := ir.TensorType(tensor.Float32, n, ir.Known(3), h, w)
	f := func(shape ...int) ir.Type { return ir.TensorType(tensor.Float32, ir.Dims(shape)...) }
	tokens := ir.TensorType(tensor.Float32, n, h, ir.Known(12))
	for _, k := range []struct {
		n    *ir.Node
		in   []ir.Type
		want string
	}{
		{&ir.Node{Op: "Conv", Attrs: attrs("pads", []int{1, 1, 1, 1})}, []ir.Type{image, f(8, 3, 3, 3)}, "f32[N,8,H,W]"},
		{&ir.Node{Op: "Conv", Attrs: attrs("strides", []int{2, 1}, "auto_pad", "SAME_UPPER")}, []ir.Type{image, f(8, 3, 3, 3)}, "f32[N,8,?,W]"},
		{&ir.Node{Op: "Conv"}, []ir.Type{ir.UnrankedType(tensor.Float32), f(8, 3, 3, 3)}, "f32[?,8,?,?]"},
		{&ir.Node{Op: "ConvTranspose", Attrs: attrs("strides", []int{2, 2})}, []ir.Type{f(1, 3, 4, 4), f(3, 5, 2, 2)}, "f32[1,5,8,8]"},
		{&ir.Node{Op: "MaxPool", Attrs: attrs("kernel_shape", []int{2, 2}, "strides", []int{2, 2})}, []ir.Type{image}, "f32[N,3,?,?]"},
		{&ir.Node{Op: "GlobalAveragePool"}, []ir.Type{image}, "f32[N,3,1,1]"},
		{&ir.Node{Op: "BatchNormalization"}, []ir.Type{image, f(3), f(3), f(3), f(3)}, "f32[N,3,H,W]"},
		{&ir.Node{Op: "LSTM", Attrs: attrs("direction", "bidirectional")}, []ir.Type{tokens, f(2, 16, 12), f(2, 16, 4)}, "f32[N,2,H,4]"},
		{&ir.Node{Op: "Attention", Attrs: attrs("q_num_heads", 3, "kv_num_heads", 3)}, []ir.Type{tokens, tokens, tokens}, "f32[N,H,12]"},
		{&ir.Node{Op: "GridSample"}, []ir.Type{image, ir.TensorType(tensor.Float32, n, ir.Known(4), ir.Known(5), ir.Known(2))}, "f32[N,3,4,5]"},
		{&ir.Node{Op: "NonMaxSuppression"}, []ir.Type{f(1, 6, 4), f(1, 2, 6)}, "i64[?,3]"},
		{&ir.Node{Op: "DFT", Attrs: attrs("onesided", 1)}, []ir.Type{f(2, 10, 1)}, "f32[2,6,2]"},
		{contrib("MatMulNBits", "K", 12, "N", 7, "block_size", 16), []ir.Type{tokens}, "f32[N,H,7]"},
	} {
		in := k.in
		for range in {
			k.n.In = append(k.n.In, &ir.Value{})
		}
		if k.n.Op == "MatMulNBits" {
			in = append(in, f(), f())
			k.n.In = append(k.n.In, &ir.Value{}, &ir.Value{})
		}
		k.n.Out = []*ir.Value{{Name: "y"}}
		version := 22
		switch {
		case k.n.Domain != "":
			version = 1
		case k.n.Op == "Attention":
			version = 24
		}
		got, err := op.InferNode(k.n, version, in)
		if err != nil {
			t.Errorf("%v: %v", k.n, err)
		} else if got[0].String() != k.want {
			t.Errorf("%v: %v, want %v", k.n, got[0], k.want)
		}
	}
}
