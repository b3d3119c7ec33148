package grad_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pare/format"
	"pare/grad"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// inputGrads runs a model forward on x, compares with the reference and returns the
// gradient of its first input by the sum of squares of the result.
func inputGrads(t *testing.T, m *ir.Model, x *tensor.Tensor) []float32 {
	t.Helper()
	ctx := context.Background()
	p, err := grad.New(m, grad.Options{Inputs: m.Graph.Inputs[:1]})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Forward(ctx, []*tensor.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	want, err := op.RunList(ctx, m, []op.Val{x})
	if err != nil {
		t.Fatal(err)
	}
	close64(t, "result", tensor.Float64s(out[0]), tensor.Float64s(want[0].(*tensor.Tensor)))
	if err := p.Backward(ctx, out); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(tensor.Data[float32](p.InputGrad(0)))
}

// TestQuantisedNetworksHaveGradients expects those of a network of codes to be those of
// the same network with FakeQuantize in it.
func TestQuantisedNetworksHaveGradients(t *testing.T) {
	x := tensor.Of([]int{2, 3, 4, 4}, reals(1, 96, 1))
	text := `opset 21
opset pare.training 1
graph g(x f32[2,3,4,4]) -> (y) {
  const c = i8[2,3,1,1]{3, -5, 7, 100, -128, 2}
  const ws = f32[2]{0.1, 0.02}
  const s = f32[]{0.05}
  const z = u8[]{40}
  const zf = f32[]{40.0}
  const u = f32[3]{0.1, 0.2, 0.03}
  const v = i8[3]{0, 3, -7}
  const vf = f32[3]{0.0, 3.0, -7.0}
  w = DequantizeLinear(c, ws) {axis=0}
BODY
}`
	pairs := `  a = QuantizeLinear(x, u, v) {axis=1}
  b = DequantizeLinear(a, u, v) {axis=1}
  d = Conv(b, w)
  e = QuantizeLinear(d, s, z)
  y = DequantizeLinear(e, s, z)`
	fake := `  b = pare.training::FakeQuantize(x, u, vf) {axis=1, lo=-128, hi=127}
  d = Conv(b, w)
  y = pare.training::FakeQuantize(d, s, zf)`
	got := inputGrads(t, parse(t, strings.ReplaceAll(text, "BODY", pairs)), x)
	want := inputGrads(t, parse(t, strings.ReplaceAll(text, "BODY", fake)), x)
	if !slices.Equal(got, want) || slices.Max(got) == 0 {
		t.Errorf("gradients %v, want %v", got, want)
	}
}

// TestPowerGridsHaveGradients puts pare's functions for power grids into a graph.
func TestPowerGridsHaveGradients(t *testing.T) {
	m := parse(t, "opset 21\ngraph g(x f32[50]) -> (y) {\n  r = Relu(x)\n  y = Identity(r)\n}")
	a := format.NewPowerActivation(-0.5, 1.2, 4, 0.5, format.NearestLevel, 0)
	p := ir.NewPatch(m.Graph, "quantise")
	r := m.Graph.Value("x")
	q := format.NewWires(m, p).Wire("grid", a).Emit(p, r)
	p.SetInput(m.Graph.Nodes[0], 0, q)
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	x := tensor.Of([]int{50}, reals(2, 50, 1))
	lo, hi := a.Range()
	for i, g := range inputGrads(t, m, x) {
		v := tensor.Data[float32](x)[i]
		y := a.Value(a.Code(v))
		if v < lo || v > hi || y < 0 {
			y = 0
		}
		if g != y {
			t.Errorf("gradient at %v is %v, want %v", v, g, y)
		}
	}
}

// TestScalesOfCodesHaveGradients expects those of products with the decoded codes; the
// reference decodes in float32, whose differences are too coarse.
func TestScalesOfCodesHaveGradients(t *testing.T) {
	for name, k := range map[string][2]string{
		"in front": {"  const c = i8[3,4]{1, -2, 3, 4, 5, -6, 7, 8, -9, 10, 11, 12}\n  const s = f32[3]{0.1, -0.2, 0.3}\n  const z = i8[3]{1, 0, -3}\n  d = DequantizeLinear(c, s, z) {axis=0}",
			"  const c = f32[3,4]{0.0, -3.0, 2.0, 3.0, 5.0, -6.0, 7.0, 8.0, -6.0, 13.0, 14.0, 15.0}\n  const s = f32[3,1]{0.1, -0.2, 0.3}\n  d = Mul(c, s)"},
		"behind": {"  const c = u8[3,4]{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}\n  const s = f32[4]{0.1, 0.2, 0.3, 0.4}\n  d = DequantizeLinear(c, s) {axis=1}",
			"  const c = f32[3,4]{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0}\n  const s = f32[4]{0.1, 0.2, 0.3, 0.4}\n  d = Mul(c, s)"},
	} {
		var got [2][]float64
		for i, body := range k {
			m := parse(t, "opset 21\ngraph g(x f32[3,4]) -> (y) {\n"+body+"\n  y = Mul(d, x)\n}")
			seen(m.Graph)
			p, err := grad.New(m, grad.Options{Params: []*ir.Value{m.Graph.Value("s")}})
			if err != nil {
				t.Fatal(err)
			}
			x := []*tensor.Tensor{tensor.Of([]int{3, 4}, reals(5, 12, 1))}
			if _, err := p.Forward(context.Background(), x); err != nil {
				t.Fatal(err)
			}
			if err := p.Backward(context.Background(), []*tensor.Tensor{tensor.Of([]int{3, 4}, reals(6, 12, 1))}); err != nil {
				t.Fatal(err)
			}
			got[i] = tensor.Float64s(tensor.Of([]int{len(p.Params()[0].Grad)}, p.Params()[0].Grad))
		}
		close64(t, name, got[0], got[1])
	}
}

// TestFakeQuantisersOfOthersHaveGradients expects those of FakeQuantize from Quant.
func TestFakeQuantisersOfOthersHaveGradients(t *testing.T) {
	x := tensor.Of([]int{2, 3, 4}, reals(3, 24, 1))
	text := "opset 21\nopset pare.training 1\nopset onnx.brevitas 1\ngraph g(x f32[2,3,4]) -> (y) {\n  const b = f32[]{4.0}\n  const s = f32[3,1]{0.1, 0.2, 0.05}\n  const f = f32[3]{0.1, 0.2, 0.05}\n  const z = f32[]{1.0}\n  const zs = f32[3]{1.0, 1.0, 1.0}\n"
	got := inputGrads(t, parse(t, text+"  y = onnx.brevitas::Quant(x, s, z, b) {signed=1, narrow=1}\n}"), x)
	want := inputGrads(t, parse(t, text+"  y = pare.training::FakeQuantize(x, f, zs) {axis=1, lo=-7, hi=7}\n}"), x)
	if !slices.Equal(got, want) || slices.Max(got) == 0 {
		t.Errorf("gradients %v, want %v", got, want)
	}
}
