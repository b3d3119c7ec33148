package op_test

import (
	"strings"
	"testing"

	"pare/ir"
	"pare/op"
)

// TestMACs counts by hand: results times the length of their sums; a symbolic
// batch is one sample, another free size makes the count unknown.
func TestMACs(t *testing.T) {
	m, err := ir.Parse(strings.NewReader(`
opset 17
graph costs(x f32[N,4,6,6], a f32[N,5,7], b f32[7,3], t f32[7,5], s f32[N,S,7]) -> (c, d, e, g, h) {
  const w = f32[8,2,3,3]{` + strings.Repeat("0, ", 143) + `0}
  c = Conv(x, w, _) {group=2, pads=[1, 1, 1, 1], strides=[2, 2]} @c
  d = MatMul(a, b) @d
  e = Gemm(t, b, _) {transA=1} @e
  g = MatMul(s, b) @g
  h = Relu(x) @h
}
`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Infer(m); err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"c": 8 * 3 * 3 * 2 * 3 * 3, "d": 5 * 3 * 7, "e": 5 * 3 * 7, "g": -1, "h": -1}
	for _, n := range m.Graph.Nodes {
		macs, ok := op.MACs(n)
		if !ok {
			macs = -1
		}
		if macs != want[n.Name] {
			t.Errorf("%v: %d, want %d", n, macs, want[n.Name])
		}
	}
}
