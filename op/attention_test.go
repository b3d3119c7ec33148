package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// packed turns [batch, heads, length, size] into [batch, length, heads·size].
func packed(t *testing.T, x *tensor.Tensor) *tensor.Tensor {
	y := transpose(t, x, 0, 2, 1, 3)
	return y.Reshape(y.Shape[0], y.Shape[1], y.Shape[2]*y.Shape[3])
}

func TestAttentionFormsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	q, k, v := noise(r, 2, 4, 3, 5), noise(r, 2, 2, 6, 5), noise(r, 2, 2, 6, 2)
	run := func(results int, in []op.Val, more ...any) []*tensor.Tensor {
		return must(t, 24, &ir.Node{Op: "Attention", Attrs: attrs(more...)}, results, in...)
	}
	want := run(4, []op.Val{q, k, v}, "qk_matmul_output_mode", 3)
	// The definition, for one row.
	row, sum := make([]float64, 6), 0.0
	for j := range row {
		for d := range 5 {
			row[j] += at(q, 1, 3, 2, d) * at(k, 1, 1, j, d) / math.Sqrt(5)
		}
		row[j] = math.Exp(row[j])
		sum += row[j]
	}
	for d := range 2 {
		y := 0.0
		for j := range row {
			y += row[j] / sum * at(v, 1, 1, j, d)
		}
		if math.Abs(y-at(want[0], 1, 3, 2, d)) > 1e-6 {
			t.Fatalf("got %v, want %v", at(want[0], 1, 3, 2, d), y)
		}
	}
	three := run(1, []op.Val{packed(t, q), packed(t, k), packed(t, v)}, "q_num_heads", 4, "kv_num_heads", 2)[0]
	near(t, "three dimensions", three, packed(t, want[0]), 0)
	twice := func(x *tensor.Tensor) *tensor.Tensor {
		return must(t, 13, &ir.Node{Op: "Gather", Attrs: attrs("axis", 1)}, 1, x, vector[int64](0, 0, 1, 1))[0]
	}
	near(t, "shared heads", run(1, []op.Val{q, twice(k), twice(v)})[0], want[0], 0)
	flex := must(t, 24, &ir.Node{Op: "FlexAttention", Domain: "ai.onnx.preview"}, 1, q, k, v)[0]
	near(t, "FlexAttention", flex, want[0], 1e-12)
}

func TestAttentionMasksAndCaches(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 5))
	q, k, v := noise(r, 1, 2, 4, 3), noise(r, 1, 2, 4, 3), noise(r, 1, 2, 4, 3)
	run := func(in []op.Val, results int, more ...any) []*tensor.Tensor {
		return must(t, 24, &ir.Node{Op: "Attention", Attrs: attrs(more...)}, results, in...)
	}
	shown, added := tensor.New(tensor.Bool, 4, 4), tensor.New(tensor.Float64, 4, 4)
	for i := range 16 {
		shown.Bytes()[i] = 1
		if i%4 > i/4 {
			shown.Bytes()[i] = 0
			tensor.Data[float64](added)[i] = math.Inf(-1)
		}
	}
	causal := run([]op.Val{q, k, v}, 1, "is_causal", 1)[0]
	near(t, "mask of booleans", run([]op.Val{q, k, v, shown}, 1)[0], causal, 0)
	near(t, "added mask", run([]op.Val{q, k, v, added}, 1)[0], causal, 0)

	// Step by step with a cache.
	slice := func(x *tensor.Tensor, from, to int) *tensor.Tensor {
		return must(t, 13, &ir.Node{Op: "Slice"}, 1, x, vector(int64(from)), vector(int64(to)), vector(int64(2)))[0]
	}
	pk, pv := slice(k, 0, 3), slice(v, 0, 3)
	last := run([]op.Val{slice(q, 3, 4), slice(k, 3, 4), slice(v, 3, 4), nil, pk, pv}, 3, "is_causal", 1)
	near(t, "with a cache", last[0], slice(causal, 3, 4), 0)
	near(t, "the new cache", last[1], k, 0)
	// A cache of which only a part is filled.
	part := run([]op.Val{slice(q, 0, 2), k, v, nil, nil, nil, vector[int64](2)}, 1, "is_causal", 1)[0]
	near(t, "with padding", part, slice(causal, 0, 2), 0)
	// A query that sees nothing gets nothing.
	none := run([]op.Val{slice(q, 0, 1), k, v, tensor.New(tensor.Bool, 1, 4)}, 1)[0]
	near(t, "hidden", none, tensor.New(tensor.Float64, 1, 2, 1, 3), 0)
}

func TestFlexAttentionPassesScoresThroughItsGraph(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	q, k, v := noise(r, 1, 2, 3, 4), noise(r, 1, 2, 3, 4), noise(r, 1, 2, 3, 4)
	// tanh(score / 2) · 2 is the soft cap of Attention.
	in := &ir.Value{Name: "score"}
	two := ir.NewConst("two", tensor.Scalar(2.0))
	node := func(op string, in ...*ir.Value) *ir.Value {
		out := &ir.Value{Name: op}
		n := &ir.Node{Op: op, In: in, Out: []*ir.Value{out}}
		return n.Out[0]
	}
	div, tanh, mul := node("Div"), node("Tanh"), node("Mul")
	g := &ir.Graph{Name: "cap", Inputs: []*ir.Value{in}, Consts: []*ir.Value{two}, Outputs: []*ir.Value{mul}, Nodes: []*ir.Node{
		{Op: "Div", In: []*ir.Value{in, two}, Out: []*ir.Value{div}},
		{Op: "Tanh", In: []*ir.Value{div}, Out: []*ir.Value{tanh}},
		{Op: "Mul", In: []*ir.Value{tanh, two}, Out: []*ir.Value{mul}},
	}}
	got := must(t, 24, &ir.Node{Op: "FlexAttention", Domain: "ai.onnx.preview", Attrs: attrs("score_mod", g)}, 1, q, k, v)[0]
	want := must(t, 24, &ir.Node{Op: "Attention", Attrs: attrs("softcap", float32(2))}, 1, q, k, v)[0]
	near(t, "soft cap", got, want, 1e-12)
}

// TestLinearAttentionIsCausalAttentionWithoutSoftmax sums over the past.
func TestLinearAttentionIsCausalAttentionWithoutSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	q, k, v := noise(r, 1, 5, 2*3), noise(r, 1, 5, 3), noise(r, 1, 5, 4)
	a := attrs("update_rule", "linear", "q_num_heads", 2, "kv_num_heads", 1)
	got := must(t, 27, &ir.Node{Op: "LinearAttention", Attrs: a}, 2, q, k, v)
	want := tensor.New(tensor.Float64, 1, 5, 2*4)
	for i := range tensor.Data[float64](want) {
		step, head, d := i/8, i/4%2, i%4
		for s := 0; s <= step; s++ {
			score := 0.0
			for e := range 3 {
				score += at(q, 0, step, head*3+e) * at(k, 0, s, e)
			}
			tensor.Data[float64](want)[i] += score / math.Sqrt(3) * at(v, 0, s, d)
		}
	}
	near(t, "linear", got[0], want, 1e-12)

	// The delta rule replaces what a key held: after writing at rate 1 with a key
	// of length 1, reading the key gives the value, whatever was there before.
	key, value := tensor.Of([]int{1, 1, 2}, []float64{0.6, 0.8}), noise(r, 1, 1, 3)
	a = attrs("update_rule", "delta", "q_num_heads", 1, "kv_num_heads", 1, "scale", float32(1))
	got = must(t, 27, &ir.Node{Op: "LinearAttention", Attrs: a}, 2, key, key, value, noise(r, 1, 1, 2, 3), nil, constant(1, 1, 1, 1))
	near(t, "delta", got[0], value, 1e-12)
}

func TestRotaryEmbeddingTurns(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	x, angle := noise(r, 2, 3, 4, 6), noise(r, 10, 3)
	cos, sin := tensor.New(tensor.Float64, 10, 3), tensor.New(tensor.Float64, 10, 3)
	for i, a := range tensor.Data[float64](angle) {
		tensor.Data[float64](cos)[i], tensor.Data[float64](sin)[i] = math.Cos(a), math.Sin(a)
	}
	ids := tensor.Of([]int{2, 4}, []int64{0, 1, 2, 3, 9, 8, 7, 6})
	for _, neighbours := range []int{0, 1} {
		y := must(t, 23, &ir.Node{Op: "RotaryEmbedding", Attrs: attrs("interleaved", neighbours)}, 1, x, cos, sin, ids)[0]
		for n := range 2 {
			for s := range 4 {
				a := at(angle, int(tensor.Data[int64](ids)[n*4+s]), 1)
				i, j := 1, 4
				if neighbours == 1 {
					i, j = 2, 3
				}
				re, im := at(x, n, 2, s, i), at(x, n, 2, s, j)
				want := [2]float64{re*math.Cos(a) - im*math.Sin(a), re*math.Sin(a) + im*math.Cos(a)}
				if got := [2]float64{at(y, n, 2, s, i), at(y, n, 2, s, j)}; math.Hypot(got[0]-want[0], got[1]-want[1]) > 1e-12 {
					t.Fatalf("interleaved %d: got %v, want %v", neighbours, got, want)
				}
			}
		}
		three := must(t, 23, &ir.Node{Op: "RotaryEmbedding", Attrs: attrs("interleaved", neighbours, "num_heads", 3)}, 1, packed(t, x), cos, sin, ids)[0]
		near(t, fmt.Sprint("packed, interleaved ", neighbours), three, packed(t, y), 0)
	}
}
