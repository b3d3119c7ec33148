package op

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pare/ir"
	"pare/tensor"
)

const inlineModel = `
ir_version 8
opset 18
opset local 1
function local::Affine {
  opset 13
  attr slope
  attr offset=1.0
  graph Affine (x, unused) -> (y, x, y) {
    a f32[] = Constant() {value_float=ref(slope, 1)}
    b f32[] = Constant() {value_float=ref(offset, 1)}
    ax = Mul(x, a)
    y = Add(ax, b) @sum
  }
}
function local::Twice {
  opset 13
  opset local 1
  graph Twice (x, c) -> (y) {
    h = local::Affine(x) {slope=2.0} @inner
    y = If(c) {then_branch=graph t () -> (p) { p = Add(h, x) },
               else_branch=graph e () -> (q) { q = local::Affine(h) {slope=-1.0, offset=0.5} }}
  }
}
graph main (x f32[2], ax bool[]) -> (u, v, w, k) {
  u, v, w = local::Affine(x, _) {slope=3.0} @first
  k = local::Twice(u, ax)
}`

func TestInline(t *testing.T) {
	m, err := ir.Parse(strings.NewReader(inlineModel))
	if err != nil {
		t.Fatal(err)
	}
	inlined := ir.CloneModel(m)
	if err := Inline(inlined); err != nil {
		t.Fatal(err)
	}
	if len(inlined.Functions) != 0 {
		t.Errorf("%d functions left", len(inlined.Functions))
	}
	for _, n := range allNodes(inlined.Graph) {
		if n.Domain == "local" {
			t.Errorf("%v is still called", n)
		}
	}
	for _, cond := range []bool{false, true} {
		in := []Val{tensor.Of([]int{2}, []float32{1, -2}), tensor.Scalar(cond)}
		want, err := RunList(context.Background(), m, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := RunList(context.Background(), inlined, in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !tensor.Equal(want[i].(*tensor.Tensor), got[i].(*tensor.Tensor)) {
				t.Errorf("condition %v, output %d: %v, want %v", cond, i, got[i], want[i])
			}
		}
		// y = 3x + 1, then 2y + 1 + y or -(2y + 1) + 0.5
		last := map[bool][]float32{true: {13, -14}, false: {-8.5, 9.5}}[cond]
		if k := tensor.Data[float32](got[3].(*tensor.Tensor)); !slices.Equal(k, last) {
			t.Errorf("condition %v: %v, want %v", cond, k, last)
		}
	}
}

func allNodes(g *ir.Graph) (out []*ir.Node) {
	for _, n := range g.Nodes {
		out = append(out, n)
		for _, s := range n.Subgraphs() {
			out = append(out, allNodes(s)...)
		}
	}
	return out
}

func TestInlineRefuses(t *testing.T) {
	head := "ir_version 8\nopset 18\nopset d 1\n"
	main := "graph m (x) -> (y) { y = d::F(x) }"
	bomb := head
	for i := range 30 {
		bomb += strings.ReplaceAll(strings.ReplaceAll("function d::FN { graph f (x) -> (y) { h = d::FM(x) y = d::FM(h) } }\n", "FN", "F"+strings.Repeat("i", i)), "FM", "F"+strings.Repeat("i", i+1))
	}
	bomb += "function d::F" + strings.Repeat("i", 30) + " { graph f (x) -> (y) { y = Abs(x) } }\n" + main
	for _, c := range []struct{ text, want string }{
		{head + "function d::F { graph f (x) -> (y) { y = d::F(x) } }\n" + main, "does a function call itself?"},
		{bomb, "expand to too many nodes"},
		{head + "function d::F { opset d 2 graph f (x) -> (y) { y = Abs(x) } }\n" + main, `version 2 of operator set "d", the model version 1`},
		{head + "function d::F { attr a graph f (x) -> (y) { y = Abs(x) } }\n" + main, `needs the attribute "a"`},
		{head + "function d::F { graph f () -> (y) { y = Constant() {value_float=1.0} } }\n" + main, "1 operands and 1 results; the function has 0 and 1"},
	} {
		m, err := ir.Parse(strings.NewReader(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if err := inline(m, 10000); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
