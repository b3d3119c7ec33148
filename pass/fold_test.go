package pass_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pare/ir"
	"pare/pass"
	"pare/tensor"
)

// bn writes a batch-norm of c channels with parameters named after it.
func bn(y, x string, c int) string {
	return fmt.Sprintf(`
		const g_%[1]s = f32[%[3]d]{*0.0}
		const b_%[1]s = f32[%[3]d]{*0.0}
		const m_%[1]s = f32[%[3]d]{*0.0}
		const var_%[1]s = f32[%[3]d]{*0.0}
		%[1]s = BatchNormalization(%[2]s, g_%[1]s, b_%[1]s, m_%[1]s, var_%[1]s) {epsilon=0.001} @%[1]s`, y, x, c)
}

// posbn is bn with positive scales.
func posbn(y, x string, c int) string { return strings.ReplaceAll(bn(y, x, c), "g_"+y, "pos_"+y) }

// unshifted is bn without offset.
func unshifted(y, x string, c int) string {
	return strings.NewReplacer("b_"+y, "zero_b_"+y, "m_"+y, "zero_m_"+y).Replace(bn(y, x, c))
}

// conv writes a convolution; attrs may be "".
func conv(y, x string, out, in, k int, attrs string) string {
	return fmt.Sprintf(`
		const %[1]s.weight = f32[%[3]d,%[4]d,%[5]d,%[5]d]{*0.0}
		%[1]s = Conv(%[2]s, %[1]s.weight) {%[6]s} @%[1]s`, y, x, out, in, k, attrs)
}

// biased is conv with a bias.
func biased(y, x string, out, in, k int, attrs string) string {
	s := conv(y, x, out, in, k, attrs)
	return fmt.Sprintf("\n\t\tconst %s.bias = f32[%d]{*0.0}", y, out) + strings.Replace(s, y+".weight)", y+".weight, "+y+".bias)", 1)
}

// fold folds a copy of the graph and compares results.
func fold(t *testing.T, m *ir.Model, o pass.FoldOptions) (*ir.Model, *pass.FoldReport) {
	t.Helper()
	return foldWithin(t, m, o, 1e-5)
}

func foldWithin(t *testing.T, m *ir.Model, o pass.FoldOptions, bound float64) (*ir.Model, *pass.FoldReport) {
	t.Helper()
	out := ir.CloneModel(m)
	rep, err := pass.FoldBatchNormsWith(context.Background(), out, o)
	if err != nil {
		t.Fatalf("%v\n%v", err, out)
	}
	if err := ir.Check(out.Graph); err != nil {
		t.Errorf("%v\n%v", err, out)
	}
	for _, size := range []int{1, 3} {
		if d := difference(t, run(t, out, inputs(m, size)), run(t, m, inputs(m, size))); d > bound {
			t.Errorf("results differ by %g\n%v", d, out)
		}
	}
	if len(rep.Kept) != rep.Total-rep.Folded {
		t.Errorf("%d of %d folded, %d kept", rep.Folded, rep.Total, len(rep.Kept))
	}
	return out, rep
}

// TestFold holds each fold: what must remain of a graph, and that results stay.
func TestFold(t *testing.T) {
	const in = "opset 17\ngraph g(x f32[N,4,6,6]) -> (y) {"
	tests := []struct{ name, src, want string }{
		{"root backward: conv", in + conv("a", "x", 6, 4, 3, "pads=[1, 1, 1, 1]") + bn("y", "a", 6) + "\n}", "Conv"},
		{"root backward: conv with bias", in + biased("a", "x", 6, 4, 3, "") + bn("y", "a", 6) + "\n}", "Conv"},
		{"root backward: grouped", in + biased("a", "x", 6, 2, 3, "group=2") + bn("y", "a", 6) + "\n}", "Conv"},
		{"root backward: depthwise", in + conv("a", "x", 8, 1, 3, "group=4") + bn("y", "a", 8) + "\n}", "Conv"},
		{"root backward: transposed", in + `
			const w = f32[4,3,2,2]{*0.0}
			const b = f32[6]{*0.0}
			a = ConvTranspose(x, w, b) {group=2, strides=[2, 2]}` + bn("y", "a", 6) + "\n}", "ConvTranspose"},
		{"root backward: another batch-norm", in + bn("a", "x", 4) + bn("b", "a", 4) + "\n y = Relu(b)\n}", "BatchNormalization Relu"},
		{"leaf backward: conv", in + conv("a", "x", 6, 4, 3, "") + bn("b", "a", 6) + "\n c = Relu(b)" + biased("d", "a", 6, 6, 1, "") + `
			y = Add(c, d)
		}`, "Conv Relu Conv Add"},
		{"leaf backward: grouped conv", in + conv("a", "x", 6, 4, 3, "") + bn("b", "a", 6) + "\n c = Relu(b)" + conv("d", "a", 6, 2, 1, "group=3") + `
			y = Add(c, d)
		}`, "Conv Relu Conv Add"},
		{"leaf backward: transposed", in + conv("a", "x", 6, 4, 3, "") + bn("b", "a", 6) + `
			c = Relu(b)
			const w = f32[6,3,1,1]{*0.0}
			d = ConvTranspose(a, w) {group=2}
			y = Add(c, d)
		}`, "Conv Relu ConvTranspose Add"},
		{"leaf backward: batch-norm", in + conv("a", "x", 6, 4, 3, "") + bn("b", "a", 6) + "\n c = Relu(b)" + bn("d", "a", 6) + `
			e = Relu(d)
			y = Add(c, e)
		}`, "Conv Relu BatchNormalization Relu Add"},
		{"root forward: conv", in + "\n a = Relu(x)" + bn("b", "a", 4) + conv("y", "b", 6, 4, 3, "") + "\n}", "Relu Conv"},
		{"root forward: grouped conv with bias", in + "\n a = Relu(x)" + bn("b", "a", 4) + biased("y", "b", 6, 2, 3, "group=2") + "\n}", "Relu Conv"},
		{"root forward: the input of the graph", in + bn("b", "x", 4) + conv("y", "b", 6, 4, 3, "") + "\n}", "Conv"},
		{"root forward: another batch-norm", in + "\n a = Relu(x)" + bn("b", "a", 4) + bn("c", "b", 4) + "\n y = Relu(c)\n}", "Relu BatchNormalization Relu"},
		{"leaf forward: another producer of a sum", in + "\n a = Relu(x)" + bn("b", "a", 4) + biased("c", "x", 4, 4, 1, "") + `
			d = Add(b, c)` + conv("y", "d", 6, 4, 3, "") + "\n}", "Relu Conv Add Conv"},
		{"several roots: a sum of two convs", in + conv("a", "x", 6, 4, 3, "") + biased("b", "x", 6, 4, 3, "") + "\n c = Add(a, b)" + bn("d", "c", 6) + "\n y = Relu(d)\n}", "Conv Conv Add Relu"},
		{"several roots: one of them twice", in + conv("a", "x", 6, 4, 3, "") + biased("b", "x", 6, 4, 3, "") + "\n c = Add(a, b)\n e = Add(c, a)" + bn("d", "e", 6) + "\n y = Relu(d)\n}", "Conv Conv Add Add Relu"},
		{"several roots: a difference", in + conv("a", "x", 6, 4, 3, "") + conv("b", "x", 6, 4, 3, "") + "\n c = Sub(a, b)" + bn("d", "c", 6) + "\n y = Relu(d)\n}", "Conv Conv Sub Relu"},
		{"several roots: a constant", in + conv("a", "x", 6, 4, 3, "") + "\n const k = f32[4,4]{*0.0}\n c = Add(k, a)" + bn("d", "c", 6) + "\n y = Relu(d)\n}", "Conv Add Relu"},
		{"several roots: one is read by a padding conv", in + conv("a", "x", 6, 4, 3, "") + conv("b", "x", 6, 4, 3, "") + "\n c = Add(a, b)" + bn("d", "c", 6) +
			"\n e = Relu(d)" + conv("f", "a", 6, 6, 3, "pads=[1, 1, 1, 1]") + conv("h", "b", 6, 6, 1, "") + conv("i", "b", 6, 6, 1, "") + `
			y = Sum(e, f, h, i)
		}`, "Conv Conv Add Relu Conv Conv Conv Sum"},
		{"concatenation by slices", in + conv("a", "x", 2, 4, 1, "") + biased("b", "x", 3, 4, 1, "") + "\n c = Concat(a, b) {axis=1}" + bn("d", "c", 5) + "\n y = Relu(d)\n}", "Conv Conv Concat Relu"},
		{"a slice of a concatenation", in + conv("a", "x", 2, 4, 1, "") + "\n r = Relu(x)\n c = Concat(r, a) {axis=1}" + bn("b", "a", 2) + `
			e = Relu(b)` + conv("d", "c", 2, 6, 1, "") + `
			y = Add(e, d)
		}`, "Conv Relu Concat Relu Conv Add"},
		{"concatenation in space", in + conv("a", "x", 3, 4, 1, "") + biased("b", "x", 3, 4, 1, "") + "\n c = Concat(a, b) {axis=-1}" + unshifted("d", "c", 3) + "\n y = Relu(d)\n}", "Conv Conv Concat Relu"},
		{"a split", in + conv("a", "x", 6, 4, 1, "") + "\n b, c = Split(a) {axis=1}" + bn("d", "b", 3) + bn("e", "c", 3) + "\n f = Relu(d)\n h = Neg(e)\n y = Add(f, h)\n}", "Conv Split Relu Neg Add"},
		{"average pooling", in + conv("a", "x", 6, 4, 1, "") + "\n b = AveragePool(a) {kernel_shape=[3, 3], pads=[1, 1, 1, 1]}" + bn("y", "b", 6) + "\n}", "Conv AveragePool"},
		{"average pooling that counts no padding", in + conv("a", "x", 6, 4, 1, "") + "\n b = AveragePool(a) {kernel_shape=[3, 3], count_include_pad=1}" + bn("y", "b", 6) + "\n}", "Conv AveragePool"},
		{"global pooling and flattening", in + conv("a", "x", 6, 4, 1, "") + "\n b = GlobalAveragePool(a)\n c = Flatten(b)" + bn("y", "c", 6) + "\n}", "Conv GlobalAveragePool Flatten"},
		{"mean over space", in + conv("a", "x", 6, 4, 1, "") + "\n b = ReduceMean(a) {axes=[2, 3], keepdims=0}" + bn("y", "b", 6) + "\n}", "Conv ReduceMean"},
		{"max pooling of positive scales", in + conv("a", "x", 6, 4, 1, "") + "\n b = MaxPool(a) {kernel_shape=[2, 2]}" + posbn("y", "b", 6) + "\n}", "Conv MaxPool"},
		{"identity, dropout, mirrored padding", in + conv("a", "x", 6, 4, 1, "") + `
			b = Identity(a)
			c = Dropout(b)
			const pads = i64[8]{0, 0, 1, 1, 0, 0, 1, 1}
			d = Pad(c, pads) {mode="reflect"}` + bn("y", "d", 6) + "\n}", "Conv Identity Dropout Pad"},
		{"flattening before a matrix", in + "\n r = Relu(x)" + bn("b", "r", 4) + `
			c = Flatten(b)
			const w = f32[5,144]{*0.0}
			const k = f32[5]{*0.0}
			y = Gemm(c, w, k) {transB=1, alpha=0.5, beta=2.0}
		}`, "Relu Flatten Gemm"},
		{"resizing", in + conv("a", "x", 6, 4, 1, "") + `
			const scales = f32[4]{1.0, 1.0, 2.0, 2.0}
			b = Resize(a, _, scales) {mode="linear"}` + bn("y", "b", 6) + "\n}", "Conv Resize"},
		{"weights of two layers", in + `
			const w = f32[4,4,1,1]{*0.0}
			a = Conv(x, w)
			r = Relu(x)
			b = Conv(r, w)` + bn("c", "a", 4) + "\n y = Add(b, c)\n}", "Conv Relu Conv Add"},
		{"gamma of zero, backward without leaves", strings.Replace(in+conv("a", "x", 2, 4, 1, "")+bn("y", "a", 2)+"\n}", "g_y = f32[2]{*0.0}", "g_y = f32[2]{0.0, 0.5}", 1), "Conv"},
		{"gamma of zero, forward", strings.Replace(in+"\n r = Relu(x)"+bn("b", "r", 4)+conv("y", "b", 2, 4, 1, "")+"\n}", "g_b = f32[4]{*0.0}", "g_b = f32[4]{0.0, 0.5, 0.0, 1.0}", 1), "Relu Conv"},
		{"multiplication and addition as exporters write a batch-norm", in + conv("a", "x", 6, 4, 3, "") + `
			const s = f32[6,1,1]{*0.0}
			b = Mul(a, s)
			const t = f32[1,6,1,1]{*0.0}
			c = Add(b, t)` + bn("d", "c", 6) + "\n y = Relu(d)\n}", "Conv Add Relu"},
		{"normalisation of the input stays", in + `
			const d = f32[]{255.0}
			a = Div(x, d)
			const m = f32[4,1,1]{*0.0}
			b = Sub(a, m)` + conv("y", "b", 6, 4, 3, "pads=[1, 1, 1, 1]") + "\n}", "Div Sub Conv"},
		{"the result of the graph keeps its name", in + conv("a", "x", 6, 4, 1, "") + bn("y", "a", 6) + "\n}", "Conv"},
		{"a shape read on the way", in + conv("a", "x", 6, 4, 1, "") + "\n s = Shape(a)\n z = ConstantOfShape(s)" + bn("b", "a", 6) + "\n y = Add(b, z)\n}", "Conv Shape ConstantOfShape Add"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			out, rep := fold(t, fillRandom(parse(t, tc.src), 5), pass.FoldOptions{})
			if got := ops(out); got != tc.want {
				t.Errorf("left %q, want %q; kept %v\n%v", got, tc.want, rep.Kept, out)
			}
			if out.Graph.Outputs[0].Name != "y" {
				t.Errorf("the output is called %q", out.Graph.Outputs[0].Name)
			}
		})
	}
}

// TestFoldDense covers matrices in all the ways they may lie.
func TestFoldDense(t *testing.T) {
	const in = "opset 17\ngraph g(x f32[5,4]) -> (y) {\n"
	const w = "const w = f32[4,5]{*0.0}\nconst wt = f32[5,4]{*0.0}\nconst c = f32[5]{*0.0}\nconst cc = f32[5,5]{*0.0}\nconst sq = f32[5,5]{*0.0}\nconst col = f32[4,1]{*0.0}\nconst one = f32[]{0.5}\n"
	tests := []struct{ name, src, want string }{
		{"gemm", "a = Gemm(x, w)" + bn("y", "a", 5), "Gemm"},
		{"gemm, everything", "a = Gemm(x, wt, c) {transB=1, alpha=0.5, beta=-2.0}" + bn("y", "a", 5), "Gemm"},
		{"gemm, bias a number", "a = Gemm(x, w, one) {beta=3.0}" + bn("y", "a", 5), "Gemm"},
		{"gemm, bias a matrix", "a = Gemm(x, w, cc)" + bn("y", "a", 5), "Gemm"},
		{"gemm, beta zero", "a = Gemm(x, w, c) {beta=0.0}" + bn("y", "a", 5), "Gemm"},
		{"gemm forward", "r = Relu(x)" + bn("b", "r", 4) + "\ny = Gemm(b, w, c) {alpha=0.25}", "Relu Gemm"},
		{"gemm forward, transposed data", "r = Relu(x)" + bn("b", "r", 4) + "\nt = Transpose(b) {perm=[1, 0]}\ny = Gemm(t, w) {transA=1}", "Relu Transpose Gemm"},
		{"gemm, weights first", "a = Gemm(w, x, col)\nt = Transpose(a) {perm=[1, 0]}" + bn("y", "t", 4), "Gemm Transpose"},
		{"gemm, weights first, rows scaled", "a = Gemm(w, sq0, col) {transB=1}\nt = Transpose(a) {perm=[1, 0]}" + bn("y", "t", 4), "Relu Gemm Transpose"},
		{"matmul", "a = MatMul(x, w)" + bn("b", "a", 5) + "\ny = Relu(b)", "MatMul Add Relu"},
		{"matmul and its bias", "a = MatMul(x, w)\nb = Add(c, a)" + bn("d", "b", 5) + "\ny = Relu(d)", "MatMul Add Relu"},
		{"matmul forward", "r = Relu(x)" + bn("b", "r", 4) + "\ny = MatMul(b, w)", "Relu MatMul Add"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			src := in + w + tc.src + "\n}"
			if strings.Contains(src, "sq0") {
				src = strings.Replace(src, "a = Gemm", "sq0 = Relu(sqx)\na = Gemm", 1)
				src = strings.Replace(src, "(x f32[5,4])", "(sqx f32[3,5])", 1)
			}
			out, rep := fold(t, fillRandom(parse(t, src), 6), pass.FoldOptions{})
			if got := ops(out); got != tc.want {
				t.Errorf("left %q, want %q; kept %v\n%v", got, tc.want, rep.Kept, out)
			}
		})
	}
}

// TestKept holds what must not be folded, and why.
func TestKept(t *testing.T) {
	const in = "opset 17\ngraph g(x f32[N,4,6,6]) -> (y) {"
	const two = "opset 17\ngraph g(x f32[N,4,6,6]) -> (y, a) {"
	zero := func(s, name string, c int) string {
		return strings.Replace(s, fmt.Sprintf("g_%s = f32[%d]{*0.0}", name, c), fmt.Sprintf("g_%s = f32[%d]{0.0%s}", name, c, strings.Repeat(", 0.5", c-1)), 1)
	}
	tests := []struct {
		name, src string
		reasons   []string
	}{
		{"between activations", in + "\n a = Relu(x)" + bn("b", "a", 4) + "\n y = Relu(b)\n}", []string{`Relu "a" is not affine`, `Relu "y" is not affine`}},
		{"leaf that pads", in + conv("a", "x", 6, 4, 3, "") + bn("b", "a", 6) + "\n c = Relu(b)" + conv("d", "a", 6, 6, 3, "pads=[1, 1, 1, 1]") + "\n y = Add(c, d)\n}",
			[]string{`Conv "d" pads with zeros`, `Relu "c" is not affine`}},
		{"root forward that pads", in + "\n a = Relu(x)" + bn("b", "a", 4) + conv("y", "b", 6, 4, 3, `auto_pad="SAME_UPPER"`) + "\n}", []string{`Relu "a"`, `Conv "y" pads with zeros`}},
		{"leaf that spreads unevenly", in + conv("a", "x", 6, 4, 3, "") + bn("b", "a", 6) + "\n c = Relu(b)\n const w = f32[6,6,1,1]{*0.0}\n d = ConvTranspose(a, w) {strides=[2, 2]}\n e = GlobalMaxPool(d)\n y = Add(c, e)\n}",
			[]string{"ConvTranspose \"d\" spreads an offset unevenly"}},
		{"zero scale with a leaf", zero(in+conv("a", "x", 6, 4, 3, "")+bn("b", "a", 6)+"\n c = Relu(b)"+conv("d", "a", 6, 6, 1, "")+"\n y = Add(c, d)\n}", "b", 6),
			[]string{`scale is zero in channel 0, which Conv "d" could not undo`}},
		{"almost zero scale with a leaf", strings.Replace(in+conv("a", "x", 2, 4, 3, "")+bn("b", "a", 2)+"\n c = Relu(b)"+conv("d", "a", 2, 2, 1, "")+"\n y = Add(c, d)\n}", "g_b = f32[2]{*0.0}", "g_b = f32[2]{1.0, 0.0001}", 1),
			[]string{"nearly zero in channel 1"}},
		{"max pooling of negative scales", in + conv("a", "x", 6, 4, 1, "") + "\n b = MaxPool(a) {kernel_shape=[2, 2]}" + bn("c", "b", 6) + "\n y = Relu(c)\n}", []string{`MaxPool "b" lets only positive scales pass`}},
		{"the result before is an output", two + conv("a", "x", 4, 4, 1, "") + bn("b", "a", 4) + "\n y = Relu(b)\n}", []string{`"a", which would change, is an output of the graph`}},
		{"root and leaf", in + conv("a", "x", 4, 4, 1, "") + conv("b", "a", 4, 4, 1, "") + "\n c = Add(a, b)" + bn("d", "c", 4) + "\n y = Relu(d)\n}", []string{`Conv "b" reads and writes what would change`}},
		{"sum with its own operand", in + conv("a", "x", 4, 4, 1, "") + bn("b", "a", 4) + "\n c = Add(a, b)\n y = Relu(c)\n}", []string{`Relu "y" is not affine`}},
		{"average pooling that counts padding", in + conv("a", "x", 6, 4, 1, "") + "\n b = AveragePool(a) {kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1}" + bn("c", "b", 6) + "\n y = Relu(c)\n}",
			[]string{`AveragePool "b" pads with zeros`}},
		{"concatenation in space", in + conv("a", "x", 3, 4, 1, "") + biased("b", "x", 3, 4, 1, "") + "\n c = Concat(a, b) {axis=-1}" + bn("d", "c", 3) + "\n y = Relu(d)\n}", []string{`Concat "c" puts values side by side`}},
		{"a padding node", in + conv("a", "x", 6, 4, 1, "") + "\n const p = i64[8]{0, 0, 1, 1, 0, 0, 1, 1}\n b = Pad(a, p)" + bn("c", "b", 6) + "\n y = Relu(c)\n}", []string{`Pad "b" pads with zeros`}},
		{"gates", in + conv("a", "x", 4, 4, 1, "") + "\n s = Sigmoid(x)\n b = Mul(a, s)" + bn("c", "b", 4) + "\n y = Relu(c)\n}", []string{`Mul "b" is not affine`}},
		{"training", in + conv("a", "x", 4, 4, 1, "") + strings.Replace(bn("y", "a", 4), "epsilon", "training_mode=1, epsilon", 1) + "\n}", []string{"training mode"}},
		{"computed parameters", in + conv("a", "x", 4, 4, 1, "") + bn("b", "a", 4) + "\n const h = f32[4]{*0.0}\n k = Exp(h)" + strings.Replace(strings.Replace(bn("c", "b", 4), "const b_c = f32[4]{*0.0}", "", 1), "b_c", "k", 1) + "\n y = Relu(c)\n}", []string{`parameter "k" is computed`}},
		{"computed weights", in + "\n const h = f32[4,4,1,1]{*0.0}\n k = Exp(h)\n a = Conv(x, k)" + bn("b", "a", 4) + "\n y = Relu(b)\n}", []string{`the weights of Conv "a" are computed`}},
		{"a sub-graph reads it", in + conv("a", "x", 4, 4, 1, "") + bn("b", "a", 4) + `
			r = Relu(b)
			const c = bool[]{true}
			s = If(c) {then_branch=graph then() -> (t) {
			  t = Neg(a)
			}, else_branch=graph other() -> (o) {
			  o = Abs(x)
			}}
			y = Add(r, s)
		}`, []string{"sub-graph"}},
		{"inside a sub-graph", in + `
			const c = bool[]{true}
			y = If(c) {then_branch=graph then() -> (t) {` + bn("t", "x", 4) + `
			}, else_branch=graph other() -> (o) {
			  o = Abs(x)
			}}
		}`, []string{`inside a sub-graph of If "y"`}},
		{"statistics that are no numbers", strings.Replace(in+conv("a", "x", 2, 4, 1, "")+bn("y", "a", 2)+"\n}", "m_y = f32[2]{*0.0}", "m_y = f32[2]{nan, 1.0}", 1), []string{"not finite"}},
		{"a variance below zero", strings.Replace(in+conv("a", "x", 2, 4, 1, "")+bn("y", "a", 2)+"\n}", "var_y = f32[2]{*0.0}", "var_y = f32[2]{-0.001, 1.0}", 1), []string{"negative or zero"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := fillRandom(parse(t, tc.src), 5)
			out := ir.CloneModel(m)
			rep, err := pass.FoldBatchNorms(context.Background(), out)
			if err != nil {
				t.Fatal(err)
			}
			if len(rep.Kept) != 1 {
				t.Fatalf("kept %v\n%v", rep.Kept, out)
			}
			for _, why := range tc.reasons {
				if !strings.Contains(rep.Kept[0].Reason, why) {
					t.Errorf("kept since %s; want %s", rep.Kept[0].Reason, why)
				}
			}
			if strings.Contains(tc.name, "statistics") || strings.Contains(tc.name, "variance") {
				return
			}
			if d := difference(t, run(t, out, inputs(m, 2)), run(t, m, inputs(m, 2))); d > 1e-5 {
				t.Errorf("results differ by %g\n%v", d, out)
			}
		})
	}
}

// TestBothRoles folds x + Cx, which the published condition excludes.
func TestBothRoles(t *testing.T) {
	m := fillRandom(parse(t, "opset 17\ngraph g(x f32[N,4,6,6]) -> (y) {"+conv("a", "x", 4, 4, 1, "")+conv("b", "a", 4, 4, 1, "")+
		"\n c = Add(a, b)"+bn("d", "c", 4)+"\n y = Relu(d)\n}"), 5)
	if out, _ := fold(t, m, pass.FoldOptions{BothRoles: true}); ops(out) != "Conv Conv Add Relu" {
		t.Errorf("left %v", out)
	}
}

// TestFoldHalf keeps the element type and refuses what does not fit it.
func TestFoldHalf(t *testing.T) {
	src := "opset 17\ngraph g(x f32[N,4,6,6]) -> (y) {" + biased("a", "x", 2, 4, 1, "") + bn("y", "a", 2) + "\n}"
	half := strings.ReplaceAll(src, "f32", "f16")
	m := fillRandom(parse(t, half), 5)
	out := ir.CloneModel(m)
	if rep, err := pass.FoldBatchNorms(context.Background(), out); err != nil || rep.Folded != 1 {
		t.Fatal(rep, err)
	}
	if v := out.Graph.Value("a.weight"); v == nil || v.Const.Type != tensor.Float16 {
		t.Errorf("weights are %v", v)
	}
	if d := difference(t, run(t, out, inputs(m, 2)), run(t, m, inputs(m, 2))); d > 4e-3 {
		t.Errorf("results differ by %g", d)
	}
	large := strings.Replace(half, "var_y = f16[2]{*0.0}", "var_y = f16[2]{0.0, 1.0}", 1)
	large = strings.Replace(large, "g_y = f16[2]{*0.0}", "g_y = f16[2]{60000.0, 1.0}", 1)
	out = fillRandom(parse(t, large), 5)
	rep, err := pass.FoldBatchNorms(context.Background(), out)
	if err != nil || len(rep.Kept) != 1 || !strings.Contains(rep.Kept[0].Reason, "would not fit f16") {
		t.Errorf("%v, %v", rep, err)
	}
}
