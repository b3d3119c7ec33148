package op_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// countingLoop is a Loop that adds 1 to a carried vector and keeps it as a scan
// output; its condition is always what it was.
func countingLoop() *ir.Node {
	value := func(name string, t tensor.DType, shape ...int) *ir.Value {
		return &ir.Value{Name: name, Type: ir.TensorType(t, ir.Dims(shape)...)}
	}
	i, cond, x := value("i", tensor.Int64), value("cond", tensor.Bool), value("x", tensor.Float32, 2)
	same, y := value("same", tensor.Bool), value("y", tensor.Float32, 2)
	one := ir.NewConst("one", vector[float32](1))
	kept := value("kept", tensor.Float32, 2)
	body := &ir.Graph{
		Name: "body", Inputs: []*ir.Value{i, cond, x}, Outputs: []*ir.Value{same, y, kept}, Consts: []*ir.Value{one},
		Nodes: []*ir.Node{
			{Op: "Identity", In: []*ir.Value{cond}, Out: []*ir.Value{same}},
			{Op: "Add", In: []*ir.Value{x, one}, Out: []*ir.Value{y}},
			{Op: "Identity", In: []*ir.Value{y}, Out: []*ir.Value{kept}},
		},
	}
	return &ir.Node{Op: "Loop", Attrs: []ir.Attr{{Name: "body", Value: body}}}
}

func TestLoopTrips(t *testing.T) {
	x := vector[float32](10, 20)
	for _, tc := range []struct {
		trips, cond op.Val
		want        int
	}{
		{tensor.Scalar(int64(3)), nil, 3},
		{vector[int64](2), vector(true), 2},
		{tensor.Scalar(int64(3)), tensor.Scalar(false), 0},
		{nil, tensor.Scalar(false), 0},
		{tensor.Scalar(int64(-1)), nil, 0},
	} {
		out, err := evaluate(16, countingLoop(), 2, tc.trips, tc.cond, x)
		if err != nil {
			t.Fatal(err)
		}
		n := float32(tc.want)
		if got := tensor.Data[float32](out[0].(*tensor.Tensor)); !slices.Equal(got, []float32{10 + n, 20 + n}) {
			t.Errorf("%d trips: carried %v", tc.want, got)
		}
		if got := out[1].(*tensor.Tensor); !slices.Equal(got.Shape, []int{tc.want, 2}) {
			t.Errorf("%d trips: kept %v", tc.want, got)
		}
	}
}

// TestEndlessLoops expects loops that cannot end to be refused or to end with
// the context.
func TestEndlessLoops(t *testing.T) {
	x := vector[float32](1, 2)
	if _, err := evaluate(16, countingLoop(), 2, nil, nil, x); err == nil || !strings.Contains(err.Error(), "never end") {
		t.Errorf("a loop without trip count and condition: %v", err)
	}
	n := countingLoop()
	m := oneNode(16, n, 2, tensor.Scalar(int64(math.MaxInt64)), tensor.Scalar(true), x)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := op.RunList(ctx, m, []op.Val{tensor.Scalar(int64(math.MaxInt64)), tensor.Scalar(true), x})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an endless loop under a deadline: %v", err)
	}
}

// TestLoopShapesStayOpen holds inference to what iterations may change: a loop
// that appends must not be taken to keep the length.
func TestLoopShapesStayOpen(t *testing.T) {
	n := countingLoop()
	body := n.Graph("body")
	one := body.Consts[0]
	body.Nodes[1] = &ir.Node{Op: "Concat", In: []*ir.Value{body.Inputs[2], one}, Out: body.Nodes[1].Out, Attrs: attrs("axis", 0)}
	body.Inputs[2].Type = ir.Type{}
	body.Outputs[1].Type = ir.Type{}
	n.Attrs = []ir.Attr{{Name: "body", Value: body}}
	body.Outputs = body.Outputs[:2]
	body.Nodes = body.Nodes[:2]
	trips := tensor.Scalar(int64(3))
	m := oneNode(16, n, 1, trips, nil, vector[float32](1, 2))
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	out, err := op.RunList(context.Background(), m, []op.Val{trips, vector[float32](1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	if got := out[0].(*tensor.Tensor); got.Len() != 5 {
		t.Errorf("running gives %v", got)
	}
	if got := m.Graph.Outputs[0].Type; got.DType != tensor.Float32 || got.Ranked && got.Shape[0].IsKnown() {
		t.Errorf("inferred %v", got)
	}
}

// TestRandomIsReproducible holds the generator to the values that NumPy's
// RandomState gives, which the official cases were made with, and results
// without a seed to a function of the name.
func TestRandomIsReproducible(t *testing.T) {
	draw := func(name string, a ...any) []float64 {
		n := &ir.Node{Op: name, Attrs: attrs(append(a, "shape", []int{3}, "dtype", int(tensor.Float64))...)}
		out, err := evaluate(22, n, 1)
		if err != nil {
			t.Fatal(err)
		}
		return tensor.Float64s(out[0].(*tensor.Tensor))
	}
	near := func(got, want []float64) bool {
		return slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-8 })
	}
	if got := draw("RandomUniform", "seed", float32(0)); !near(got, []float64{0.5488135, 0.71518937, 0.60276338}) {
		t.Errorf("uniform: %v", got)
	}
	if got := draw("RandomNormal", "seed", float32(0)); !near(got, []float64{1.76405235, 0.40015721, 0.97873798}) {
		t.Errorf("normal: %v", got)
	}
	if !slices.Equal(draw("RandomNormal"), draw("RandomNormal")) {
		t.Error("the same node without seed gives different numbers")
	}
	// log-probabilities of 0.2, 0.7, 0.1
	p := tensor.Of([]int{1, 3}, []float32{float32(math.Log(0.2)) + 5, float32(math.Log(0.7)) + 5, float32(math.Log(0.1)) + 5})
	out, err := evaluate(22, &ir.Node{Op: "Multinomial", Attrs: attrs("sample_size", 20000, "seed", float32(1))}, 1, p)
	if err != nil {
		t.Fatal(err)
	}
	var counts [3]float64
	for _, k := range tensor.Data[int32](out[0].(*tensor.Tensor)) {
		counts[k]++
	}
	for k, want := range []float64{4000, 14000, 2000} {
		if math.Abs(counts[k]-want) > 300 { // five standard deviations
			t.Errorf("class %d was drawn %g times, expected about %g", k, counts[k], want)
		}
	}
}
