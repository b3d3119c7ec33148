package pass_test

import (
	"context"
	"testing"

	"pare/ir"
	"pare/pass"
)

// TestAbsorbBiases gives graphs and the operators that must remain.
func TestAbsorbBiases(t *testing.T) {
	const in = "opset 17\ngraph g(x f32[N,4,6,6]) -> (y) {"
	const flat = "opset 17\ngraph g(x f32[3,4]) -> (y) {\nconst w = f32[4,5]{*0.0}\nconst c = f32[5]{*0.0}\nconst k = f32[1,5]{*0.0}\n"
	tests := []struct{ name, src, want string }{
		{"conv without bias", in + conv("a", "x", 6, 4, 3, "pads=[1, 1, 1, 1]") + "\nconst k = f32[6,1,1]{*0.0}\ny = Add(k, a)\n}", "Conv"},
		{"conv with bias, subtraction", in + biased("a", "x", 6, 4, 3, "") + "\nconst k = f32[1,6,1,1]{*0.0}\ny = Sub(a, k)\n}", "Conv"},
		{"a number", in + biased("a", "x", 6, 4, 3, "") + "\nconst k = f32[]{0.5}\ny = Add(a, k)\n}", "Conv"},
		{"subtracted from a constant", in + biased("a", "x", 6, 4, 3, "") + "\nconst k = f32[]{0.5}\ny = Sub(k, a)\n}", "Conv Sub"},
		{"not per channel", in + biased("a", "x", 4, 4, 1, "") + "\nconst k = f32[6]{*0.0}\ny = Add(a, k)\n}", "Conv Add"},
		{"read by others", in + biased("a", "x", 4, 4, 1, "") + "\nconst k = f32[]{0.5}\nb = Add(a, k)\ny = Mul(a, b)\n}", "Conv Add Mul"},
		{"batch-norm", in + "\nr = Relu(x)" + bn("a", "r", 4) + "\nconst k = f32[4,1,1]{*0.0}\ny = Add(a, k)\n}", "Relu BatchNormalization"},
		{"transposed conv", in + "\nconst w = f32[4,3,2,2]{*0.0}\na = ConvTranspose(x, w)\nconst k = f32[3,1,1]{*0.0}\ny = Add(a, k)\n}", "ConvTranspose"},
		{"gemm", flat + "a = Gemm(x, w, c) {beta=0.5}\ny = Add(a, k)\n}", "Gemm"},
		{"matmul keeps one addition", flat + "a = MatMul(x, w)\nb = Add(c, a)\ny = Add(b, k)\n}", "MatMul Add"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := fillRandom(parse(t, tc.src), 9)
			out := ir.CloneModel(m)
			if _, err := pass.AbsorbBiases(context.Background(), out); err != nil {
				t.Fatal(err)
			}
			if got := ops(out); got != tc.want {
				t.Errorf("left %q, want %q\n%v", got, tc.want, out)
			}
			if d := difference(t, run(t, out, inputs(m, 2)), run(t, m, inputs(m, 2))); d > 1e-6 {
				t.Errorf("results differ by %g", d)
			}
		})
	}
}
