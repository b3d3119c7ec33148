package grad_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pare/grad"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

const blocked = `opset 18
graph g(x f32[2,3]) -> (y, i) {
  const w = f32[3,3]{random}
  const k = i64[]{1}
  m = MatMul(x, w)
  s = CumSum(m, k) @running
  y = Relu(s)
  i = ArgMax(m)
}`

// TestBlocked: a gradient that cannot pass is an error that names the node, unless
// nothing asks for it.
func TestBlocked(t *testing.T) {
	m := parse(t, fill(blocked, newRand()))
	w := m.Graph.Value("w")
	_, err := grad.New(m, grad.Options{Params: []*ir.Value{w}})
	if _, node, _ := fault.Describe(err); err == nil || !strings.Contains(node, "running") {
		t.Errorf("the error is %v, at node %q", err, node)
	}
	for _, o := range []grad.Options{
		{},
		{Params: []*ir.Value{w}, Outputs: []*ir.Value{m.Graph.Value("m"), m.Graph.Value("i")}},
	} {
		p, err := grad.New(m, o)
		if err != nil {
			t.Errorf("%d outputs: %v", len(o.Outputs), err)
			continue
		}
		out, err := p.Forward(context.Background(), []*tensor.Tensor{tensor.Of([]int{2, 3}, []float32{1, 2, 3, 4, 5, 6})})
		if err != nil {
			t.Fatal(err)
		}
		if out[1].Type != tensor.Int64 {
			t.Errorf("the second result is %v", out[1])
		}
		if err := p.Backward(context.Background(), []*tensor.Tensor{out[0], nil}); err != nil {
			t.Error(err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	m := parse(t, fill(blocked, newRand()))
	for want, o := range map[string]grad.Options{
		`"k" is no constant of floats`: {Params: []*ir.Value{m.Graph.Value("k")}},
		`"y" is no constant of floats`: {Params: []*ir.Value{m.Graph.Value("y")}},
		`"w" is no data input`:         {Inputs: []*ir.Value{m.Graph.Value("w")}},
		`no value "elsewhere"`:         {Outputs: []*ir.Value{{Name: "elsewhere"}}},
	} {
		if _, err := grad.New(m, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one with %q", err, want)
		}
	}
	p, err := grad.New(m, grad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Backward(context.Background(), nil); err == nil {
		t.Error("Backward before any Forward")
	}
	for want, in := range map[string][]*tensor.Tensor{
		"takes 1 inputs, 0 given": nil,
		`input "x"`:               {tensor.New(tensor.Float32, 2, 4)},
	} {
		if _, err := p.Forward(context.Background(), in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one with %q", err, want)
		}
	}
}

// TestStore trains a network of 16-bit floats with a constant of which it only knows
// the codes, and writes it back.
func TestStore(t *testing.T) {
	m := parse(t, `opset 18
graph g(x f16[1,2]) -> (y) {
  const w = f16[2,2]{1, 2, 3, 4}
  const q = i8[2,2]{2, 0, 0, 4}
  const s = f16[]{0.5}
  d = DequantizeLinear(q, s)
  m = MatMul(x, w)
  y = MatMul(m, d)
}`)
	w := m.Graph.Value("w")
	p, err := grad.New(m, grad.Options{Params: []*ir.Value{w}})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := tensor.FromFloat64s(tensor.Float16, []int{1, 2}, []float64{1, 2})
	y, err := p.Forward(context.Background(), []*tensor.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	if got := tensor.Float32s(y[0]); !slices.Equal(got, []float32{7, 20}) {
		t.Errorf("the result is %v", got)
	}
	if err := p.Backward(context.Background(), []*tensor.Tensor{tensor.Of([]int{1, 2}, []float32{1, 1})}); err != nil {
		t.Fatal(err)
	}
	q := p.Params()[0]
	if want := []float32{1, 2, 2, 4}; !slices.Equal(q.Grad, want) {
		t.Errorf("the gradient is %v, want %v", q.Grad, want)
	}
	for i, g := range q.Grad {
		q.Data[i] -= g
	}
	if tensor.Float32s(w.Const)[0] != 1 {
		t.Error("the model has changed before Store")
	}
	if err := p.Store(m); err != nil {
		t.Fatal(err)
	}
	if got := tensor.Float32s(w.Const); w.Const.Type != tensor.Float16 || !slices.Equal(got, []float32{0, 0, 1, 0}) {
		t.Errorf("stored is %v %v", w.Const, got)
	}
	p.ZeroGrads()
	if q.Grad[3] != 0 {
		t.Error("gradients are not zero")
	}
}
