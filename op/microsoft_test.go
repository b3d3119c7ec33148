package op_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func contrib(name string, pairs ...any) *ir.Node {
	return &ir.Node{Op: name, Domain: "com.microsoft", Attrs: attrs(pairs...)}
}

func TestQuantisedOperatorsRoundTheRealResult(t *testing.T) {
	a, b := vector[uint8](0, 10, 128, 200, 255), vector[uint8](255, 3, 128, 7, 255)
	scale := func(v float32) *tensor.Tensor { return tensor.Scalar(v) }
	zero := func(v uint8) *tensor.Tensor { return tensor.Scalar(v) }
	quantised := func(v float64) float64 { return min(max(math.RoundToEven(v/0.25)+7, 0), 255) }
	for name, k := range map[string]struct {
		in []op.Val
		f  func(x, y float64) float64
	}{
		"QLinearAdd":       {[]op.Val{a, scale(0.5), zero(128), b, scale(0.125), zero(3), scale(0.25), zero(7)}, func(x, y float64) float64 { return x + y }},
		"QLinearMul":       {[]op.Val{a, scale(0.5), zero(128), b, scale(0.125), zero(3), scale(0.25), zero(7)}, func(x, y float64) float64 { return x * y }},
		"QLinearSigmoid":   {[]op.Val{a, scale(0.5), zero(128), scale(0.25), zero(7)}, func(x, _ float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		"QLinearLeakyRelu": {[]op.Val{a, scale(0.5), zero(128), scale(0.25), zero(7)}, func(x, _ float64) float64 { return max(x, 0.25*x) }},
	} {
		got := must(t, 18, contrib(name, "alpha", float32(0.25)), 1, k.in...)[0]
		for i, g := range tensor.Data[uint8](got) {
			x, y := 0.5*(float64(tensor.Data[uint8](a)[i])-128), 0.125*(float64(tensor.Data[uint8](b)[i])-3)
			if want := quantised(k.f(x, y)); float64(g) != want {
				t.Errorf("%s element %d: %d, want %v", name, i, g, want)
			}
		}
	}
	image := tensor.Of([]int{1, 2, 2, 1}, []int8{-4, 0, 4, 8})
	pooled := must(t, 18, contrib("QLinearGlobalAveragePool", "channels_last", 1), 1,
		image, scale(0.5), tensor.Scalar(int8(0)), scale(0.25), tensor.Scalar(int8(1)))[0]
	near(t, "mean", pooled, tensor.Of([]int{1, 1, 1, 1}, []int8{5}), 0)
	joined := must(t, 18, contrib("QLinearConcat", "axis", 0), 1, scale(0.25), zero(7), a, scale(0.25), zero(7), b, scale(0.5), zero(0))[0]
	near(t, "joined", joined, vector[uint8](0, 10, 128, 200, 255, 255, 13, 255, 21, 255), 0)
}

func TestMatMulOfPackedWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	const k, n, block = 40, 3, 16
	for _, bits := range []int{2, 4, 8} {
		blocks := 3
		packedBytes := make([]byte, n*blocks*block*bits/8)
		for i := range packedBytes {
			packedBytes[i] = byte(r.UintN(256))
		}
		scales, x := noise(r, n*blocks), noise(r, 2, k)
		got := must(t, 18, contrib("MatMulNBits", "K", k, "N", n, "bits", bits, "block_size", block), 1,
			x, tensor.Of([]int{n, blocks, block * bits / 8}, packedBytes), scales)[0]
		for row := range 2 {
			for col := range n {
				sum := 0.0
				for i := range k {
					bit := (col*blocks*block + i) * bits
					code := int(packedBytes[bit/8]) >> (bit % 8) & (1<<bits - 1)
					sum += at(x, row, i) * float64(code-1<<(bits-1)) * at(scales, col*blocks+i/block)
				}
				if math.Abs(sum-at(got, row, col)) > 1e-9 {
					t.Fatalf("%d bits: got %v, want %v", bits, at(got, row, col), sum)
				}
			}
		}
	}
}

func TestFusedOperatorsAreTheirParts(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 7))
	x, w, b, z := noise(r, 1, 2, 5, 5), noise(r, 3, 2, 3, 3), noise(r, 3), noise(r, 1, 3, 3, 3)
	conv := must(t, 22, &ir.Node{Op: "Conv"}, 1, x, w, b)[0]
	sum := must(t, 22, &ir.Node{Op: "Add"}, 1, conv, z)[0]
	want := must(t, 22, &ir.Node{Op: "LeakyRelu", Attrs: attrs("alpha", float32(0.25))}, 1, sum)[0]
	near(t, "FusedConv", must(t, 22, contrib("FusedConv", "activation", "LeakyRelu", "activation_params", []float32{0.25}), 1, x, w, b, z)[0], want, 1e-12)

	h, skip, gamma, beta := noise(r, 2, 3, 4), noise(r, 2, 3, 4), noise(r, 4), noise(r, 4)
	sum = must(t, 22, &ir.Node{Op: "Add"}, 1, h, skip)[0]
	want = must(t, 22, &ir.Node{Op: "LayerNormalization", Attrs: attrs("epsilon", float32(1e-12))}, 1, sum, gamma, beta)[0]
	got := must(t, 22, contrib("SkipLayerNormalization"), 4, h, skip, gamma, beta)
	near(t, "SkipLayerNormalization", got[0], want, 1e-12)
	near(t, "the sum", got[3], sum, 0)

	gelu := must(t, 22, &ir.Node{Op: "Gelu"}, 1, h)[0]
	near(t, "Gelu", must(t, 22, contrib("Gelu"), 1, h)[0], gelu, 1e-12)
	near(t, "FastGelu", must(t, 22, contrib("FastGelu"), 1, h)[0], gelu, 2e-3)

	a, c := tensor.Of([]int{2, 3}, []uint8{1, 2, 3, 4, 5, 6}), tensor.Of([]int{3, 2}, []int8{1, -1, 2, -2, 3, -3})
	product := must(t, 22, contrib("MatMulIntegerToFloat"), 1, a, c, tensor.Scalar(float32(0.5)), vector[float32](1, 2))[0]
	near(t, "MatMulIntegerToFloat", product, tensor.Of([]int{2, 2}, []float32{7, -14, 16, -32}), 0)
}

// TestFusedAttentionsAreAttention compares the attentions of ONNX Runtime with
// the standard one.
func TestFusedAttentionsAreAttention(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 7))
	q, k, v := noise(r, 2, 3, 2*4), noise(r, 2, 3, 4), noise(r, 2, 3, 4)
	pastK, pastV := noise(r, 2, 1, 2, 4), noise(r, 2, 1, 2, 4)
	std := func(results int, in []op.Val, more ...any) []*tensor.Tensor {
		return must(t, 24, &ir.Node{Op: "Attention", Attrs: attrs(more...)}, results, in...)
	}
	want := std(3, []op.Val{q, k, v, nil, pastK, pastV}, "q_num_heads", 2, "kv_num_heads", 1, "is_causal", 1, "softcap", float32(2))
	lengths, total := vector[int32](4, 4), tensor.Scalar(int32(5))
	got := must(t, 22, contrib("GroupQueryAttention", "num_heads", 2, "kv_num_heads", 1, "softcap", float32(2)), 3,
		q, k, v, pastK, pastV, lengths, total)
	for i := range want {
		near(t, "GroupQueryAttention", got[i], want[i], 1e-12)
	}
	packed := must(t, 22, &ir.Node{Op: "Concat", Attrs: attrs("axis", 2)}, 1, q, k, v)[0]
	near(t, "packed", must(t, 22, contrib("GroupQueryAttention", "num_heads", 2, "kv_num_heads", 1, "softcap", float32(2)), 1,
		packed, nil, nil, pastK, pastV, lengths, total)[0], want[0], 1e-12)

	keys, values := noise(r, 2, 3, 8), noise(r, 2, 3, 6)
	plain := std(1, []op.Val{q, keys, values}, "q_num_heads", 2, "kv_num_heads", 2)[0]
	near(t, "MultiHeadAttention", must(t, 22, contrib("MultiHeadAttention", "num_heads", 2), 1, q, keys, values)[0], plain, 1e-12)

	// Weights that copy parts of the input make the projection a selection.
	x := must(t, 22, &ir.Node{Op: "Concat", Attrs: attrs("axis", 2)}, 1, q, keys, values)[0]
	copies := must(t, 22, &ir.Node{Op: "EyeLike"}, 1, tensor.New(tensor.Float64, 22, 22))[0]
	near(t, "Attention", must(t, 22, contrib("Attention", "num_heads", 2, "qkv_hidden_sizes", []int{8, 8, 6}), 1, x, copies)[0], plain, 1e-12)

	cos, sin, ids := noise(r, 9, 2), noise(r, 9, 2), tensor.Of([]int{2, 3}, []int64{0, 1, 2, 6, 7, 8})
	turned := must(t, 23, &ir.Node{Op: "RotaryEmbedding", Attrs: attrs("num_heads", 2)}, 1, q, cos, sin, ids)[0]
	near(t, "RotaryEmbedding", must(t, 22, contrib("RotaryEmbedding"), 1, q, ids, cos, sin)[0], turned, 0)
}
