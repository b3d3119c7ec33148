package op_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// constant is a tensor of one number.
func constant(v float64, shape ...int) *tensor.Tensor {
	t := tensor.New(tensor.Float64, shape...)
	for i := range tensor.Data[float64](t) {
		tensor.Data[float64](t)[i] = v
	}
	return t
}

func TestNormalisationsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	x, scale, bias := noise(r, 2, 6, 3, 4), noise(r, 6), noise(r, 6)
	group := func(n int) *tensor.Tensor {
		return must(t, 21, &ir.Node{Op: "GroupNormalization", Attrs: attrs("num_groups", n)}, 1, x, scale, bias)[0]
	}
	near(t, "one channel each", group(6), must(t, 22, &ir.Node{Op: "InstanceNormalization"}, 1, x, scale, bias)[0], 1e-12)
	// One group is layer normalisation with the scale of each channel.
	wide := func(v *tensor.Tensor) *tensor.Tensor { return v.Reshape(6, 1, 1) }
	layer := must(t, 17, &ir.Node{Op: "LayerNormalization", Attrs: attrs("axis", 1)}, 3, x, wide(scale), wide(bias))
	near(t, "one group", group(1), layer[0], 1e-12)
	if layer[1].Type != tensor.Float32 || layer[1].Len() != 2 {
		t.Errorf("means are %v; one f32 for each image is needed", layer[1])
	}
	// The batch's own statistics make every channel standard; given the same
	// statistics, the inference form agrees.
	train := must(t, 15, &ir.Node{Op: "BatchNormalization", Attrs: attrs("training_mode", 1, "momentum", float32(0))}, 3,
		x, scale, bias, constant(0, 6), constant(1, 6))
	test := must(t, 15, &ir.Node{Op: "BatchNormalization"}, 1, x, scale, bias, train[1], train[2])[0]
	near(t, "batch statistics", train[0], test, 1e-6)
	mvn := must(t, 13, &ir.Node{Op: "MeanVarianceNormalization"}, 1, x)[0]
	plain := must(t, 15, &ir.Node{Op: "BatchNormalization", Attrs: attrs("epsilon", float32(0))}, 1, x, constant(1, 6), constant(0, 6), train[1], train[2])[0]
	near(t, "mean and variance", mvn, plain, 1e-6)
	// Mean square of RMSNormalization's rows is 1.
	rms := must(t, 23, &ir.Node{Op: "RMSNormalization", Attrs: attrs("epsilon", float32(0))}, 1, x, constant(1, 4))[0]
	for i := 0; i < rms.Len(); i += 4 {
		if m := inner(vector(tensor.Data[float64](rms)[i:i+4]...), vector(tensor.Data[float64](rms)[i:i+4]...)) / 4; math.Abs(m-1) > 1e-12 {
			t.Fatalf("mean square %v", m)
		}
	}
	zero := must(t, 22, &ir.Node{Op: "LpNormalization"}, 1, tensor.Of([]int{2, 2}, []float64{3, 4, 0, 0}))[0]
	near(t, "norm of nothing", zero, tensor.Of([]int{2, 2}, []float64{0.6, 0.8, 0, 0}), 1e-12)
	near(t, "LRN", must(t, 13, &ir.Node{Op: "LRN", Attrs: attrs("size", 2, "alpha", float32(2), "beta", float32(1))}, 1,
		tensor.Of([]int{1, 3, 1}, []float64{1, 2, 3}))[0],
		tensor.Of([]int{1, 3, 1}, []float64{1.0 / 6, 2.0 / 14, 3.0 / 10}), 1e-12)
}

// TestOldNormalisationsRaise expects the same numbers from the newest schema.
func TestOldNormalisationsRaise(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	x := noise(r, 2, 6, 3)
	for name, k := range map[string]struct {
		opset int
		n     *ir.Node
		sizes int
		count int
	}{
		"groups":            {18, &ir.Node{Op: "GroupNormalization", Attrs: attrs("num_groups", 3)}, 3, 2},
		"batch, version 6":  {6, &ir.Node{Op: "BatchNormalization", Attrs: attrs("is_test", 1, "spatial", 1)}, 6, 4},
		"batch, version 7":  {7, &ir.Node{Op: "BatchNormalization", Attrs: attrs("spatial", 1)}, 6, 4},
		"instance, first":   {1, &ir.Node{Op: "InstanceNormalization", Attrs: attrs("consumed_inputs", []int{0})}, 6, 2},
		"norm of a plane":   {1, &ir.Node{Op: "GlobalLpPool", Attrs: attrs("p", float32(3))}, 0, 0},
		"norm of windows":   {1, &ir.Node{Op: "LpPool", Attrs: attrs("p", float32(1), "kernel_shape", []int{2})}, 0, 0},
		"batch, version 14": {14, &ir.Node{Op: "BatchNormalization"}, 6, 4},
	} {
		m := oneNode(k.opset, k.n, 1, x)
		for i := range k.count {
			p := constant(0.5+float64(i), k.sizes)
			v := ir.NewConst("p"+string(rune('0'+i)), p)
			k.n.In = append(k.n.In, v)
			m.Graph.Consts = append(m.Graph.Consts, v)
		}
		m.Graph.Bind()
		sameRaised(t, name, m, x)
	}
	m := oneNode(7, &ir.Node{Op: "BatchNormalization", Attrs: attrs("spatial", 0)}, 1, x, x, x, x, x)
	if err := op.RaiseTo(m, 15); err == nil {
		t.Error("statistics for every element were raised")
	}
}

// sameRaised raises a model and expects its results to stay.
func sameRaised(t *testing.T, name string, m *ir.Model, in ...op.Val) {
	t.Helper()
	before, err := op.RunList(t.Context(), m, in)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := op.RaiseTo(m, 25); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := ir.Check(m.Graph); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	after, err := op.RunList(t.Context(), m, in)
	if err != nil {
		t.Fatalf("%s, raised: %v", name, err)
	}
	for i := range before {
		near(t, name, after[i].(*tensor.Tensor), before[i].(*tensor.Tensor), 1e-6)
	}
}

func TestLossesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	scores, target := noise(r, 3, 4, 2), tensor.Of([]int{3, 2}, []int64{0, 1, 2, 3, 1, 0})
	weights := tensor.Of([]int{4}, []float64{1, 2, 0.5, 3})
	for _, reduction := range []string{"none", "sum", "mean"} {
		a := attrs("reduction", reduction, "ignore_index", 1)
		both := must(t, 13, &ir.Node{Op: "SoftmaxCrossEntropyLoss", Attrs: a}, 2, scores, target, weights)
		logs := must(t, 13, &ir.Node{Op: "LogSoftmax", Attrs: attrs("axis", 1)}, 1, scores)[0]
		near(t, "log likelihoods", both[1], logs, 1e-12)
		near(t, reduction, both[0], must(t, 13, &ir.Node{Op: "NegativeLogLikelihoodLoss", Attrs: a}, 1, logs, target, weights)[0], 1e-12)
		if reduction == "none" && at(both[0], 0, 1) != 0 {
			t.Error("an ignored target counts")
		}
	}
}
