package quant_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// parse reads a graph in the text form; lines of the body only.
func parse(t *testing.T, head, body string) *ir.Model {
	t.Helper()
	m, err := ir.Parse(strings.NewReader("ir_version 8\nopset 13\ngraph g(" + head + ") -> (y) {\n" + body + "\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// compressed runs a recipe without data; the network's input lies in [-2, 3].
func compressed(t *testing.T, m *ir.Model, recipe string) *compress.Report {
	t.Helper()
	r, err := compress.Parse(recipe)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := r.Run(context.Background(), m, compress.Options{Threads: 1, Input: compress.InputRange{Lo: []float64{-2}, Hi: []float64{3}}})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// flow prints what happens to computed values: one line per node that reads
// one, constants left out, a pair of quantisation as "Q".
func flow(m *ir.Model) string {
	var b strings.Builder
	for _, n := range m.Graph.Nodes {
		var in []string
		for _, v := range n.In {
			if v != nil && v.Const == nil && !strings.HasPrefix(v.Name, "w") && !strings.HasPrefix(v.Name, "b") {
				in = append(in, strings.ReplaceAll(v.Name, "_decoded", "'"))
			}
		}
		switch {
		case n.Op == "QuantizeLinear":
			fmt.Fprintf(&b, "Q(%s) by %s\n", in[0], n.In[1].Name)
		case len(in) > 0 && n.Op != "DequantizeLinear":
			var out []string
			for _, v := range n.Out {
				out = append(out, v.Name)
			}
			fmt.Fprintf(&b, "%s = %s(%s)\n", strings.Join(out, ", "), n.Op, strings.Join(in, ", "))
		}
	}
	return b.String()
}

// stats is the annotation of a value with four channels.
const stats = ` f32[1,4,8,8] #stats(1, "batch-norm", mean=[0.0, 0.5, -1.0, 2.0], std=[1.0, 1.0, 0.5, 2.0])`

const (
	w3 = `  const w = f32[4,4,3,3]{*0.1}
  const b = f32[4]{0.1, -0.2, 0.3, 0.0}
`
	same = ` {pads=[1, 1, 1, 1]}
`
)

func TestPlacement(t *testing.T) {
	for name, c := range map[string]struct{ recipe, body, want string }{
		// Both operands of the sum and what follows its activation are quantised;
		// the convolution that feeds a Relu is not quantised before it.
		"residual": {"uniform(a=8)", w3 +
			"  c1" + stats + " = Conv(x, w, b)" + same + "  r1 = Relu(c1)\n" +
			"  c2" + stats + " = Conv(r1, w, b)" + same + "  s = Add(c2, r1)\n  r2 = Relu(s)\n" +
			"  y" + stats + " = Conv(r2, w, b)" + same,
			`Q(x) by x_scale
c1 = Conv(x')
r1 = Relu(c1)
Q(r1) by r1_scale
c2 = Conv(r1')
Q(c2) by c2_scale
s = Add(c2', r1')
r2 = Relu(s)
Q(r2) by r2_scale
y = Conv(r2')
`},
		// Without regions only what layers read.
		"layers only": {"uniform(a=8,regions=false)", w3 +
			"  c1" + stats + " = Conv(x, w, b)" + same + "  r1 = Relu(c1)\n" +
			"  c2" + stats + " = Conv(r1, w, b)" + same + "  s = Add(c2, r1)\n" +
			"  y" + stats + " = Conv(s, w, b)" + same,
			`Q(x) by x_scale
c1 = Conv(x')
r1 = Relu(c1)
Q(r1) by r1_scale
c2 = Conv(r1')
s = Add(c2, r1)
Q(s) by s_scale
y = Conv(s')
`},
		// Pools and slices pass codes on: one grid before and behind.
		"carriers": {"uniform(a=8)", w3 +
			"  c1" + stats + " = Conv(x, w, b)" + same +
			"  p f32[1,4,4,4] = MaxPool(c1) {kernel_shape=[2, 2], strides=[2, 2]}\n" +
			"  q f32[1,4,4,4] = AveragePool(p) {kernel_shape=[1, 1]}\n" +
			"  k f32[1,8,4,4] = Concat(p, q) {axis=1}\n" +
			"  s1 f32[1,4,4,4], s2 f32[1,4,4,4] = Split(k) {axis=1}\n" +
			"  y f32[1,4,4,4] = Conv(s1, w, b)" + same,
			`Q(x) by x_scale
c1 = Conv(x')
Q(c1) by c1_scale
p = MaxPool(c1')
Q(p) by c1_scale
q = AveragePool(p')
Q(q) by q_scale
k = Concat(p', q')
Q(k) by k_scale
s1, s2 = Split(k')
Q(s1) by k_scale
y = Conv(s1')
`},
		// An activation that no integer kernel has leads from codes to codes where a
		// sum reads it.
		"island": {"uniform(a=8)", w3 +
			"  c1" + stats + " = Conv(x, w, b)" + same + "  g = Sigmoid(c1)\n  h = Mul(c1, g)\n  s = Add(h, x)\n" +
			"  y = Conv(s, w, b)" + same,
			`Q(x) by x_scale
c1 = Conv(x')
Q(c1) by c1_scale
g = Sigmoid(c1')
h = Mul(c1', g)
Q(h) by h_scale
s = Add(h', x')
Q(s) by s_scale
y = Conv(s')
`},
		// Squeeze and excite: mean and gate read the same codes, and what channels are
		// multiplied by stays float.
		"gate": {"uniform(a=8)", w3 + "  const w1 = f32[4,4,1,1]{*0.1}\n" +
			"  c1" + stats + " = Conv(x, w, b)" + same + "  g = Sigmoid(c1)\n  h = Mul(c1, g)\n" +
			"  m f32[1,4,1,1] = GlobalAveragePool(h)\n  f f32[1,4,1,1] = Conv(m, w1, b)\n  e f32[1,4,1,1] = Sigmoid(f)\n  k = Mul(h, e)\n" +
			"  y = Conv(k, w, b)" + same,
			`Q(x) by x_scale
c1 = Conv(x')
Q(c1) by c1_scale
g = Sigmoid(c1')
h = Mul(c1', g)
Q(h) by h_scale
m = GlobalAveragePool(h')
Q(m) by m_scale
f = Conv(m')
Q(f) by f_scale
e = Sigmoid(f')
k = Mul(h', e)
Q(k) by k_scale
y = Conv(k')
`},
		// What only layers read is quantised for them alone.
		"activation": {"uniform(a=8)", w3 +
			"  c1" + stats + " = Conv(x, w, b)" + same + "  g = Sigmoid(c1)\n  h = Mul(c1, g)\n  y = Conv(h, w, b)" + same,
			`Q(x) by x_scale
c1 = Conv(x')
Q(c1) by c1_scale
g = Sigmoid(c1')
h = Mul(c1', g)
Q(h) by h_scale
y = Conv(h')
`},
		// Between dense layers sums and moves stay in float. Attention: the softmax and the values are multiplied on 8 bits whatever the
		// width of the layers; keys and queries of unknown range are not.
		"attention": {"uniform(a=4)", `  const w = f32[4,4]{*0.1}
  const g = f32[4]{1.0, 1.0, 1.0, 1.0}
  const b = f32[4]{0.1, 0.2, 0.3, 0.4}
  n f32[1,8,4] = Div(x, x)
  l f32[1,8,4] #stats(2, "layer-norm", mean=[0.0, 0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0, 1.0]) = Mul(n, n)
  q f32[1,8,4] = MatMul(l, w)
  q1 f32[1,8,4] = Add(q, b)
  qt f32[1,4,8] = Transpose(q1) {perm=[0, 2, 1]}
  z f32[1,8,8] = MatMul(q1, qt)
  p f32[1,8,8] = Softmax(z) {axis=-1}
  a f32[1,8,4] = MatMul(p, q1)
  y f32[1,8,4] = MatMul(a, w)`,
			`n = Div(x, x)
l = Mul(n, n)
l_limited = Clip(l)
Q(l_limited) by l_scale
q = MatMul(l')
q1 = Add(q)
qt = Transpose(q1)
Q(q1) by q1_scale
Q(qt) by qt_scale
z = MatMul(q1', qt')
p = Softmax(z)
Q(p) by p_scale
a = MatMul(p', q1')
a_limited = Clip(a)
Q(a_limited) by a_scale
y = MatMul(a')
`},
	} {
		head := "x f32[1,4,8,8]"
		if name == "attention" {
			head = "x f32[1,8,4]"
		}
		m := parse(t, head, c.body)
		rep := compressed(t, m, c.recipe)
		if got := flow(m); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
		if n := strings.Count(c.want, "Q("); rep.Steps[0].Activations != n || len(rep.Steps[0].Floats) > 0 {
			t.Errorf("%s: the report counts %d activations, not %d; float: %v", name, rep.Steps[0].Activations, n, rep.Steps[0].Floats)
		}
	}
}

// TestUnknownStaysFloat: without a range a value stays float and is listed.
func TestUnknownStaysFloat(t *testing.T) {
	m := parse(t, "x f32[1,4,8,8]", w3+"  const w2 = f32[4,4,3,3]{*0.2}\n  const w3 = f32[4,4,3,3]{*0.3}\n"+
		"  c1"+stats+" = Conv(x, w, b)"+same+"  e = Exp(c1)\n  c2"+stats+" = Conv(e, w2, b)"+same+"  y = Conv(c2, w3, b)"+same)
	rep := compressed(t, m, "uniform(a=8)")
	want := "Q(x) by x_scale\nc1 = Conv(x')\nQ(c1) by c1_scale\ne = Exp(c1')\nc2 = Conv(e)\nQ(c2) by c2_scale\ny = Conv(c2')\n"
	if got := flow(m); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := fmt.Sprint(rep.Steps[0].Floats); got != "[{e there is no rule for Exp}]" || len(rep.Warnings) != 1 {
		t.Errorf("floats %v, warnings %q", got, rep.Warnings)
	}
	for i, bits := range []int{8, 0, 8} {
		if rep.Layers[i].ActivationBits != bits {
			t.Errorf("layer %s: data of %d bits, want %d", rep.Layers[i].Name, rep.Layers[i].ActivationBits, bits)
		}
	}
}

// TestWidths: edges and selections set the width of what a layer reads; a value
// read twice has the larger one.
func TestWidths(t *testing.T) {
	body := w3 + "  const w2 = f32[4,4,3,3]{*0.2}\n  const w3 = f32[4,4,3,3]{*0.3}\n  const w4 = f32[4,4,3,3]{*0.4}\n" +
		"  c1" + stats + " = Conv(x, w, b)" + same + "  c2" + stats + " = Conv(c1, w2, b)" + same +
		"  c3" + stats + " = Conv(c1, w3, b)" + same + "  s = Add(c2, c3)\n  y = Conv(s, w4, b)" + same
	for recipe, want := range map[string]map[string]uint8{
		"uniform(a=4)":                           {"x": 15, "c1": 15, "c2": 255, "c3": 255, "s": 15},
		"uniform(a=4,edges=8)":                   {"x": 255, "c1": 15, "c2": 255, "c3": 255, "s": 255},
		"uniform(a=4);c3:a=6":                    {"x": 15, "c1": 63, "c2": 255, "c3": 255, "s": 15},
		"uniform(a=4);c2:a=32;c3:a=32":           {"x": 15, "s": 15},
		"uniform(a=4);c1:skip;c2:skip;c3:skip":   {"s": 15},
		"uniform(a=8,regions=false);c*:skip":     {"s": 255},
		"uniform;c3:a=5":                         {"c1": 31},
		"uniform(a=8,edges=4,regions=false,w=2)": {"x": 15, "c1": 255, "s": 15},
	} {
		m := parse(t, "x f32[1,4,8,8]", body)
		compressed(t, m, recipe)
		got := map[string]uint8{}
		for _, n := range m.Graph.Nodes {
			if n.Op != "QuantizeLinear" {
				continue
			}
			v, top := n.In[0], uint8(255)
			if c := v.Producer(); c != nil && c.Op == "Clip" {
				scale, zero := tensor.Data[float32](n.In[1].Const)[0], tensor.Data[uint8](n.In[2].Const)[0]
				top = uint8(tensor.Data[float32](c.In[2].Const)[0]/scale+.5) + zero
				v = c.In[0]
			}
			got[v.Name] = top
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: largest codes %v, want %v", recipe, got, want)
		}
	}
}

// TestTwice: what is quantised already stays as it is.
func TestTwice(t *testing.T) {
	m := parse(t, "x f32[1,4,8,8]", w3+"  c1"+stats+" = Conv(x, w, b)"+same+"  y = Conv(c1, w, b)"+same)
	compressed(t, m, "uniform(a=8)")
	once := flow(m)
	rep := compressed(t, m, "uniform(a=8)")
	if got := flow(m); got != once || rep.Steps[0].Activations != 0 || rep.Steps[0].Layers != 0 {
		t.Errorf("a second run makes of\n%s\n%s", once, got)
	}
}
