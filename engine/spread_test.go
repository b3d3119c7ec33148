package engine_test

import (
	"fmt"
	"testing"
)

// TestProductChain: a product applies GELU to its results, and rows of a length that
// products read badly lie apart, whoever else reads them.
func TestProductChain(t *testing.T) {
	const head = `(x f32[N,30,20]) -> (%s) { const w1 = f32[20,512]{*0.0}
		const wb = f32[512]{*0.0}
		const w2 = f32[512,130]{*0.0}
		const h = f32[]{0.5}
		const s2 = f32[]{1.4142135}
		const one = f32[]{1.0}
		m = MatMul(x, w1)
		p = Add(m, wb)
		a = Div(p, s2)
		e = Erf(a)
		b = Add(e, one)
		c = Mul(p, b)
		g = Mul(c, h)
		y = MatMul(g, w2)`
	check(t, []rowCase{
		{"gelu", graph(head, "y") + "}", []string{"matmul gelu", "matmul"}},
		{"result read elsewhere", graph(head, "y, g") + "}", []string{"matmul gelu", "spread rows", "matmul"}},
		{"operand read elsewhere", graph(head, "y, p") + "}", []string{"matmul", "gelu", "spread rows", "matmul"}},
		{"read by products and a sum", graph(head, "z") + `
			const w3 = f32[512,7]{*0.0}
			u = MatMul(g, w3)
			v = Add(g, wb)
			const w4 = f32[512,128]{*0.0}
			t = MatMul(v, w4)
			z = Concat(y, u, v, t) {axis=2} }`, nil},
		{"rows of a view", `(x f32[N,2,30,512]) -> (y) { const w = f32[512,130]{*0.0}
			a = Transpose(x) {perm=[0,2,1,3]}
			y = MatMul(a, w) }`, nil},
	})
}

func graph(head, outputs string) string { return fmt.Sprintf(head, outputs) }
