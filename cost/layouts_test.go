package cost_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/cost"
	"pare/ir"
)

// TestLayouts finds inputs, outputs and taps where each operator has them.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		node, data string
		shape      [4]int // of weights, [groups][outs][ins][taps] once read by at
		stored     string
		at         func(g, o, i, k int) int // where in the stored order a weight lies
		positions  int64
	}{
		{"Gemm(x, w, _)", "x f32[5,6]", [4]int{1, 8, 6, 1}, "6,8", func(_, o, i, _ int) int { return i*8 + o }, 5},
		{"Gemm(x, w, _) {transB=1}", "x f32[5,6]", [4]int{1, 8, 6, 1}, "8,6", func(_, o, i, _ int) int { return o*6 + i }, 5},
		{"Gemm(w, x, _)", "x f32[6,5]", [4]int{1, 8, 6, 1}, "8,6", func(_, o, i, _ int) int { return o*6 + i }, 5},
		{"Gemm(w, x, _) {transA=1}", "x f32[6,5]", [4]int{1, 8, 6, 1}, "6,8", func(_, o, i, _ int) int { return i*8 + o }, 5},
		{"MatMul(w, x)", "x f32[6,5]", [4]int{1, 8, 6, 1}, "8,6", func(_, o, i, _ int) int { return o*6 + i }, 5},
		{"MatMul(x, w)", "x f32[3,5,6]", [4]int{3, 8, 6, 1}, "3,6,8", func(g, o, i, _ int) int { return (g*6+i)*8 + o }, 5},
		{"ConvTranspose(x, w, _) {strides=[2, 2], group=2}", "x f32[1,6,3,5]", [4]int{2, 4, 3, 4}, "6,4,2,2", func(g, o, i, k int) int { return ((g*3+i)*4+o)*4 + k }, 15},
		{"Conv(x, w, _) {group=2}", "x f32[1,6,3,5]", [4]int{2, 4, 3, 4}, "8,3,2,2", func(g, o, i, k int) int { return ((g*4+o)*3+i)*4 + k }, 8},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		g, o, i, k := c.shape[0], c.shape[1], c.shape[2], c.shape[3]
		w := cost.Weights{Groups: g, Out: o, In: i, Taps: k, Values: values(r, g*o*i*k, 3), Steps: cost.Steps{Group: o * i * k, Out: i * k, In: k, Tap: 1}}
		stored := make([]string, len(w.Values))
		for n, x := range w.Values {
			stored[c.at(n/(o*i*k), n/(i*k)%o, n/k%i, n%k)] = fmt.Sprint(x)
		}
		m, err := ir.Parse(strings.NewReader(fmt.Sprintf("\nopset 17\ngraph g(%s) -> (y) {\n  const w = f32[%s]{%s}\n  y = %s @y\n}\n", c.data, c.stored, strings.Join(stored, ", "), c.node)))
		if err != nil {
			t.Fatal(err)
		}
		want, got := brute(w), cost.Of(m).Layers[0]
		if got.Reuse != want || got.Positions != c.positions || got.Inputs != g*i || got.Channels != g*o {
			t.Errorf("%s: %+v at %d positions, want %+v at %d", c.node, got.Reuse, got.Positions, want, c.positions)
		}
	}
}
