package engine_test

import (
	"slices"
	"strings"
	"testing"

	"pare/ir"
)

// TestCaptures has sub-graphs that read what steps computed, in any layout.
func TestCaptures(t *testing.T) {
	m := model(t, `(x f32[N,3,6,6], c bool[]) -> (y) {
		const w = f32[4,3,3,3]{*0.0}
		a = Conv(x, w)
		b = Relu(a)
		r = If(c) {then_branch=graph then() -> (p) {
			p = Add(a, b)
		}, else_branch=graph else() -> (q) {
			q = Neg(b)
		}}
		y = Sigmoid(r)
	}`)
	fillConsts(m)
	for size := 1; size <= 2; size++ {
		compare(t, m, inputsOf(m, size))
	}
}

// TestFunctions expands functions of the model, so that rows lower what is
// inside.
func TestFunctions(t *testing.T) {
	m, err := ir.Parse(strings.NewReader(`ir_version 8
opset 18
opset my 1
function my::Swish {
  opset 18
  attr scale=1.0
  graph body(x) -> (y) {
    s = Sigmoid(x)
    y = Mul(x, s)
  }
}
graph g(x f32[N,5]) -> (z) {
  a = my::Swish(x)
  z = my::Swish(a)
}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := compare(t, m, inputsOf(m, 2)); !slices.Equal(got, []string{"silu", "silu"}) {
		t.Errorf("computed by %q", got)
	}
}
