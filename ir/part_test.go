package ir_test

import (
	"slices"
	"strings"
	"testing"

	"pare/ir"
)

const partSource = `ir_version 8
opset 17
graph g(x f32[N,4], mask f32[N,4]) -> (z) {
  const w = f32[4]{1, 2, 3, 4}
  const u = f32[4]{5, 6, 7, 8}
  bias = Neg(mask)
  a = Mul(x, w)
  b = Add(a, bias)
  c = Mul(b, u)
  d = Add(c, bias)
  e, f = Split(d) {axis=1}
  z = Add(e, f)
}
`

func values(t *testing.T, m *ir.Model, names ...string) (out []*ir.Value) {
	t.Helper()
	for _, name := range names {
		v := m.Graph.Value(name)
		if v == nil {
			t.Fatalf("no value %q", name)
		}
		out = append(out, v)
	}
	return out
}

// TestPart: a part holds what lies between its values and, computed anew, what comes
// from other inputs.
func TestPart(t *testing.T) {
	m := parse(t, partSource)
	before := text(t, m)
	part, to, err := ir.Part(m, values(t, m, "b"), values(t, m, "d"))
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Check(part.Graph); err != nil {
		t.Fatal(err)
	}
	var nodes, inputs []string
	for _, n := range part.Graph.Nodes {
		nodes = append(nodes, n.Op)
	}
	for _, v := range part.Graph.Inputs {
		inputs = append(inputs, v.Name)
	}
	if got := strings.Join(nodes, " "); got != "Neg Mul Add" {
		t.Errorf("nodes %s", got)
	}
	if got := strings.Join(inputs, " "); got != "b mask" {
		t.Errorf("inputs %s", got)
	}
	if len(part.Graph.Consts) != 1 || part.Graph.Consts[0].Const != m.Graph.Value("u").Const {
		t.Errorf("constants %v: want u, with the data of the original", part.Graph.Consts)
	}
	b := m.Graph.Value("b")
	if in := to[b]; in == b || in != part.Graph.Inputs[0] || in.Producer() != nil || len(in.Uses()) != 1 {
		t.Error("the input is not the one that stands for b")
	}
	p := ir.NewPatch(part.Graph, "edit")
	p.RemoveNode(part.Graph.Nodes[2])
	_ = p.Apply()
	if after := text(t, m); after != before {
		t.Errorf("the model changed:\n%s", after)
	}
}

// TestPartOfAll: between a graph's own inputs and outputs lies all that is used.
func TestPartOfAll(t *testing.T) {
	m := parse(t, partSource)
	part, _, err := ir.Part(m, m.Graph.Inputs, m.Graph.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := text(t, part), text(t, m); a != b {
		t.Errorf("got\n%swant\n%s", a, b)
	}
}

// TestPartWithinNode: a part cannot begin between the results of one node.
func TestPartWithinNode(t *testing.T) {
	m := parse(t, partSource)
	_, _, err := ir.Part(m, values(t, m, "e"), values(t, m, "z"))
	if err == nil || !strings.Contains(err.Error(), `Split "e"`) {
		t.Errorf("got %v", err)
	}
	if _, _, err := ir.Part(m, values(t, m, "e", "f"), values(t, m, "z")); err != nil {
		t.Error(err)
	}
}

// TestPartCaptures: what sub-graphs read from outside belongs to the part.
func TestPartCaptures(t *testing.T) {
	m := parse(t, `ir_version 8
opset 17
graph g(x f32[N], c bool[]) -> (y) {
  h = Neg(x)
  k = Abs(h)
  y = If(c) {
    then_branch=graph t() -> (p) {
    p = Exp(k)
  }, else_branch=graph e() -> (q) {
    q = Neg(h)
  }
  }
}
`)
	part, _, err := ir.Part(m, values(t, m, "h"), values(t, m, "y"))
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Check(part.Graph); err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, n := range part.Graph.Nodes {
		ops = append(ops, n.Op)
	}
	if !slices.Equal(ops, []string{"Abs", "If"}) || len(part.Graph.Inputs) != 2 {
		t.Errorf("nodes %v, inputs %v", ops, part.Graph.Inputs)
	}
}
