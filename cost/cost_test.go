package cost_test

import (
	"strings"
	"testing"

	"pare/cost"
	"pare/ir"
	"pare/op"
)

// TestOf counts a network by hand: a strided convolution, a depthwise one, dense
// layers with weights on either side and of codes, a product of activations.
func TestOf(t *testing.T) {
	m, err := ir.Parse(strings.NewReader(`
opset 21
graph costs(x f32[N,2,4,4], a f32[N,3,2], b f32[N,2,3]) -> (d, e, f, g) {
  const w = f32[3,2,1,2]{1, 2, 3, 3,  -2, 2, 0, 3,  4, 1, 0, 0}
  const s = f32[3,1,1,1]{0.5, 0.5, 2}
  const q = i8[2,3]{1, -1, 2,  3, 3, -3}
  const z = i8[3]{0, 0, 0}
  const k = f32[3]{0.1, 0.2, 0.3}
  const l = f32[3,2]{7, 7,  0, 0,  1, 8}
  c = Conv(x, w, _) {strides=[1, 2]} @c
  d = Conv(c, s, _) {group=3} @d
  dq = DequantizeLinear(q, k, z) {axis=1} @dq
  e = MatMul(a, dq) @e
  f = MatMul(l, b) @f
  g = MatMul(a, b) @g
}
`))
	if err == nil {
		err = ir.Check(m.Graph)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := []cost.Layer{
		// Of channel 0 the taps meet {1, -2, 4} and {2, 1}, of channel 1 {3} and {3}.
		{Name: "c", Totals: cost.Totals{Params: 12, Bytes: 48, MACs: 8 * 12, Multiplications: 8 * (5 + 2 - 2), Additions: 8 * 9}},
		{Name: "d", Totals: cost.Totals{Params: 3, Bytes: 12, MACs: 8 * 3, Multiplications: 8 * 3, Additions: 8 * 3}},
		// Codes 1, -1, 2 of input 0 need one multiplication, 3, 3, -3 of input 1 another.
		{Name: "e", Totals: cost.Totals{Params: 6, Bytes: 21, MACs: 3 * 6, Multiplications: 3 * 2, Additions: 3 * 6}},
		{Name: "f", Totals: cost.Totals{Params: 6, Bytes: 24, MACs: 3 * 6, Multiplications: 3 * 3, Additions: 3 * 4}},
		{Name: "g", Totals: cost.Totals{MACs: 3 * 6, Multiplications: 3 * 6, Additions: 3 * 6}},
	}
	before := m.String()
	got := cost.Of(m)
	if m.String() != before {
		t.Error("counting changed the network")
	}
	if len(got.Layers) != len(want) {
		t.Fatalf("%d layers, want %d", len(got.Layers), len(want))
	}
	var sum cost.Totals
	for i, l := range got.Layers {
		if l.Name != want[i].Name || l.Totals != want[i].Totals {
			t.Errorf("%s: %+v, want %s: %+v", l.Name, l.Totals, want[i].Name, want[i].Totals)
		}
		sum.MACs += l.MACs
		sum.Multiplications += l.Multiplications
		sum.Additions += l.Additions
	}
	sum.Params, sum.Bytes = cost.Stored(m)
	if got.Totals != sum {
		t.Errorf("total %+v, want %+v", got.Totals, sum)
	}
}

// TestSeparated: a convolution and its uneven depthwise separation have the same
// distinct products.
func TestSeparated(t *testing.T) {
	text := func(body string) *cost.Count {
		m, err := ir.Parse(strings.NewReader("\nopset 17\ngraph g(x f32[1,2,4,4]) -> (y) {\n" + body + "}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return cost.Of(m)
	}
	whole := text(`
  const w = f32[3,2,1,2]{2, 3, 5, 7,  -2, -3, 9, 0,  3, 2, 5, 7}
  y = Conv(x, w, _) @y
`)
	parts := text(`
  const i = i64[4]{0, 0, 1, 1}
  const k = f32[4,1,1,2]{2, 3,  3, 2,  5, 7,  9, 0}
  const f = f32[3,4,1,1]{1, 0, 1, 0,  -1, 0, 0, 1,  0, 1, 1, 0}
  g = Gather(x, i) {axis=1} @g
  z = Conv(g, k, _) {group=4} @z
  y = Conv(z, f, _) @y
`)
	const positions = 4 * 3
	if whole.Multiplications != positions*(2+3) || parts.Multiplications != whole.Multiplications {
		t.Errorf("%d multiplications, %d separated; want %d", whole.Multiplications, parts.Multiplications, positions*5)
	}
	if whole.Additions != positions*11 || parts.Additions != positions*(7+6) {
		t.Errorf("%d additions, %d separated", whole.Additions, parts.Additions)
	}
	if whole.Layers[0].Kernels != 6 || whole.Layers[0].Distinct != 4 || parts.Layers[0].Distinct != 4 || parts.Layers[0].Positions != positions {
		t.Errorf("%+v and %+v", whole.Layers[0], parts.Layers[0])
	}
}

// TestIntegers: weights that are integers as they stand count less their zero point.
func TestIntegers(t *testing.T) {
	m, err := ir.Parse(strings.NewReader(`
opset 17
graph g(x u8[1,2,2,2], a u8[5,2]) -> (c, d, e) {
  const s = f32[]{0.5}
  const z = u8[]{3}
  const w = u8[2,2,1,1]{3, 5,  1, 9}
  const b = i8[2,3]{1, 2, -2,  0, 4, 4}
  const none = i8[]{0}
  c = QLinearConv(x, s, z, w, s, z, s, z) @c
  d = MatMulInteger(a, b, z, none) @d
  e = MatMulInteger(a, b) @e
}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := cost.Of(m).Layers
	for i, want := range []cost.Totals{
		// Of input 0 the numbers are 0 and -2, of input 1 2 and 6.
		{Params: 4, Bytes: 4, MACs: 4 * 4, Multiplications: 4 * 3, Additions: 4 * 3},
		{Params: 6, Bytes: 6, MACs: 5 * 6, Multiplications: 5 * 2, Additions: 5 * 5},
		{Params: 6, Bytes: 6, MACs: 5 * 6, Multiplications: 5 * 2, Additions: 5 * 5},
	} {
		if got[i].Totals != want {
			t.Errorf("%s: %+v, want %+v", got[i].Name, got[i].Totals, want)
		}
	}
}

// TestOdd: broken and empty layers are counted as far as they make sense.
func TestOdd(t *testing.T) {
	for _, text := range []string{
		"const w = f32[3,2,1,1]{1, 2, 3, 4, 5, 6}\n  y = Conv(x, w, _) {group=2}",
		"const w = f32[3,2,1,1]{1, 2, 3, 4, 5, 6}\n  y = Conv(x, w, _) {group=0, strides=[0, 0]}",
		"const w = f32[0,2,1,1]{}\n  y = Conv(x, w, _)",
		"const w = f32[3,2]{1, 2, 3, 4, 5, 6}\n  y = Conv(x, w, _)",
		"const w = f32[6]{1, 2, 3, 4, 5, 6}\n  y = MatMul(x, w)",
		"const w = f32[2,2,2]{1, 2, 3, 4, 5, 6, 7, 8}\n  y = Gemm(x, w, _)",
		"const w = f32[2,2]{1, 2, 3, 4}\n  const i = i64[3]{0, 0, 1}\n  g = Gather(x, i) {axis=1}\n  y = Conv(g, w, _) {group=3}",
		"const w = i8[2,2]{1, 2, 3, 4}\n  const z = i8[3]{1, 2, 3}\n  y = MatMulInteger(x, w, _, z)",
		"y = Conv(x, x, _)",
	} {
		m, err := ir.Parse(strings.NewReader("\nopset 17\ngraph g(x f32[1,2,4,4]) -> (y) {\n  " + text + " @y\n}\n"))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, l := range cost.Of(m).Layers {
			if l.Multiplications > l.MACs || l.Multiplications < 0 || l.Additions < 0 {
				t.Errorf("%s: %+v", text, l)
			}
		}
	}
}

// TestOpen counts layers with weights whose sizes are open, and no others.
func TestOpen(t *testing.T) {
	for dims, want := range map[string]int{"N,4,2": 0, "1,T,2": 1} {
		m, err := ir.Parse(strings.NewReader("\nopset 17\ngraph g(x f32[" + dims + "]) -> (z) {\n  const w = f32[2,2]{1, 2, 3, 4}\n  y = MatMul(x, w)\n  z = Relu(y)\n}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := op.Infer(m); err != nil {
			t.Fatal(err)
		}
		if got := cost.Open(m); got != want {
			t.Errorf("[%s]: %d layers are open, want %d", dims, got, want)
		}
	}
}
