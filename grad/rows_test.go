package grad_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"pare/grad"
	"pare/ir"
)

// checked collects the operators whose gradients were compared with differences.
var checked sync.Map

func seen(g *ir.Graph) {
	for _, n := range g.Nodes {
		checked.Store(n.Domain+"::"+n.Op, true)
	}
}

// TestMain demands, where all tests ran, that every row was compared with
// differences.
func TestMain(m *testing.M) {
	status := m.Run()
	if status == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.list").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" {
		for _, name := range slices.Sorted(slices.Values(grad.RuleNames())) {
			if _, ok := checked.Load(name); !ok {
				fmt.Printf("no test compares the gradient of %s with differences\n", name)
				status = 1
			}
		}
	}
	os.Exit(status)
}

// oneNode is a graph with the body given.
func oneNode(opset int, inputs, body string) string {
	return fmt.Sprintf("opset %d\nopset com.microsoft 1\ngraph g(%s) -> (y) {\n%s\n}", opset, inputs, body)
}

// TestFunctions checks element-wise functions away from their corners.
func TestFunctions(t *testing.T) {
	for _, k := range []struct{ op, attrs, scale, shift string }{
		{"Abs", "", "1.0", "0.0"}, {"Acos", "", "0.9", "0.0"}, {"Acosh", "", "0.9", "2.0"}, {"Asin", "", "0.9", "0.0"},
		{"Asinh", "", "2.0", "0.0"}, {"Atan", "", "2.0", "0.0"}, {"Atanh", "", "0.9", "0.0"}, {"Ceil", "", "3.0", "0.0"},
		{"Celu", "{alpha=0.7}", "3.0", "0.0"}, {"Cos", "", "3.0", "0.0"}, {"Cosh", "", "2.0", "0.0"}, {"Elu", "{alpha=0.6}", "3.0", "0.0"},
		{"Erf", "", "2.0", "0.0"}, {"Exp", "", "2.0", "0.0"}, {"Floor", "", "3.0", "0.0"}, {"Gelu", "", "3.0", "0.0"},
		{"Gelu", `{approximate="tanh"}`, "3.0", "0.0"}, {"com.microsoft::Gelu", "", "3.0", "0.0"}, {"Log", "", "0.9", "1.5"}, {"Mish", "", "3.0", "0.0"},
		{"Neg", "", "1.0", "0.0"}, {"com.microsoft::QuickGelu", "{alpha=1.5}", "2.0", "0.0"}, {"Reciprocal", "", "1.0", "1.7"}, {"Round", "", "3.0", "0.0"},
		{"Selu", "", "3.0", "0.0"}, {"Shrink", "{bias=0.2, lambd=0.4}", "2.0", "0.0"}, {"Sign", "", "1.0", "0.0"}, {"Sin", "", "3.0", "0.0"},
		{"Sinh", "", "2.0", "0.0"}, {"Softplus", "", "4.0", "0.0"}, {"Softsign", "", "4.0", "0.0"}, {"Sqrt", "", "0.9", "1.5"},
		{"Swish", "{alpha=1.3}", "3.0", "0.0"}, {"Tan", "", "1.2", "0.0"}, {"Tanh", "", "2.0", "0.0"}, {"ThresholdedRelu", "{alpha=0.5}", "2.0", "0.0"},
	} {
		opset := 22
		if k.op == "Swish" {
			opset = 24
		}
		text := fmt.Sprintf("opset %d\nopset com.microsoft 1\ngraph g(x f32[2,3,2,4]) -> (y) {\n  const k = f32[4,1]{%s, 0.0, 0.0, 0.0}\n  const o = f32[1]{%s}\n  a = MatMul(x, k)\n  b = Add(a, o)\n  y = %s(b) %s\n}",
			opset, k.scale, k.shift, k.op, k.attrs)
		t.Run(k.op+k.attrs, func(t *testing.T) { checkGradients(t, text, onlyInputs) })
	}
}

// onlyInputs differentiates by no constant.
func onlyInputs(o *grad.Options) { o.Params = nil }

// TestReductions covers axes in front, behind, between and apart, in both layouts.
func TestReductions(t *testing.T) {
	for _, op := range strings.Fields("ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare") {
		for _, axes := range []string{"0", "3", "-2", "1", "1, 2", "0, 2", "2, 3", "0, 1, 2, 3"} {
			for _, keep := range []int{0, 1} {
				name := fmt.Sprintf("%s over %s, %d", op, axes, keep)
				n := strings.Count(axes, ",") + 1
				body := fmt.Sprintf("  const a = i64[%d]{%s}\n  y = %s(x, a) {keepdims=%d}", n, axes, op, keep)
				t.Run(name, func(t *testing.T) { checkGradients(t, oneNode(18, "x f32[2,3,4,2]", body), nil) })
				body = fmt.Sprintf("  const w = f32[3,2,1,1]{random}\n  const a = i64[%d]{%s}\n  c = Conv(x, w)\n  y = %s(c, a) {keepdims=%d}", n, axes, op, keep)
				t.Run(name+" behind Conv", func(t *testing.T) { checkGradients(t, oneNode(18, "x f32[2,2,2,3]", body), nil) })
			}
		}
	}
	for name, body := range map[string]string{
		"everything": "  y = ReduceMean(x)",
		"nothing":    "  y = ReduceSum(x) {noop_with_empty_axes=1}",
		"log of sum": "  const a = i64[1]{1}\n  e = Exp(x)\n  y = ReduceLogSum(e, a)",
		"long":       "  const m = f32[1,1,3000]{random}\n  const a = i64[1]{2}\n  b = Add(x, m)\n  y = ReduceL2(b, a)",
	} {
		t.Run(name, func(t *testing.T) { checkGradients(t, oneNode(18, "x f32[2,3,1]", body), onlyInputs) })
	}
}

// denseCases are bodies of graphs with one input, x f32[2,3,4], by what they show.
var denseCases = map[string]string{
	"Identity":            "  z = Identity(x)\n  y = Softmax(z)",
	"Einsum":              "  const w = f32[2,5,4]{random}\n  y = Einsum(x, w) {equation=\"bij,bkj->bik\"}",
	"Einsum, turned":      "  const w = f32[4,6,3]{random}\n  y = Einsum(x, w) {equation=\"...ij,jki->k...i\"}",
	"Einsum, outer":       "  const w = f32[2]{random}\n  y = Einsum(x, w) {equation=\"abc,d\"}",
	"Expand":              "  const s = i64[4]{5, 1, 3, 4}\n  y = Expand(x, s)",
	"Expand in place":     "  const w = f32[2,1,4]{random}\n  const s = i64[3]{2, 3, 4}\n  e = Expand(w, s)\n  y = Add(e, x)",
	"Expand a number":     "  const w = f32[]{random}\n  const s = i64[3]{2, 3, 4}\n  e = Expand(w, s)\n  y = Add(e, x)",
	"Gather":              "  const i = i64[2,3]{1, 0, -1, 1, 1, -2}\n  y = Gather(x, i) {axis=1}",
	"Gather rows":         "  const w = f32[5,300]{random}\n  const i = i64[4]{1, 0, -1, 1}\n  g = Gather(w, i)\n  const a = i64[1]{1}\n  s = ReduceSum(g, a) {keepdims=0}\n  y = Add(s, x)",
	"GatherElements":      "  const i = i64[2,2,4]{0, 1, 2, -1, 1, 1, 1, 1, 0, 0, 2, 2, 0, 0, 0, 0}\n  y = GatherElements(x, i) {axis=1}",
	"GatherND":            "  const i = i64[3,2]{0, 1, 1, 2, 0, 1}\n  y = GatherND(x, i)",
	"LayerNormalization":  "  const g = f32[4]{random}\n  const b = f32[4]{random}\n  y = LayerNormalization(x, g, b) {epsilon=0.01}",
	"LayerNorm, two axes": "  const g = f32[3,4]{random}\n  y = LayerNormalization(x, g) {axis=1}",
	"LogSoftmax":          "  y = LogSoftmax(x)",
	"LogSoftmax, axis 0":  "  y = LogSoftmax(x) {axis=0}",
	"LpNormalization":     "  y = LpNormalization(x)",
	"LpNorm 1":            "  y = LpNormalization(x) {axis=1, p=1}",
	"LRN":                 "  y = LRN(x) {size=2, alpha=2.0, beta=0.6, bias=1.5}",
	"Max":                 "  const w = f32[3,1]{random}\n  const v = f32[]{random}\n  y = Max(x, w, v)",
	"Mean":                "  const w = f32[3,1]{random}\n  const v = f32[4]{random}\n  y = Mean(x, w, v)",
	"Min":                 "  const w = f32[2,3,4]{random}\n  y = Min(w, x)",
	"Pow 2":               "  const p = f32[]{2.0}\n  y = Pow(x, p)",
	"Pow 3":               "  const p = i64[]{3}\n  y = Pow(x, p)",
	"Pow -1":              "  const w = f32[3,1]{positive}\n  const p = f32[1]{-1.0}\n  z = Pow(w, p)\n  y = Add(z, x)",
	"Pow":                 "  const w = f32[3,1]{positive}\n  y = Pow(w, x)",
	"ReverseSequence":     "  const n = i64[3]{2, 1, 2}\n  y = ReverseSequence(x, n)",
	"RMSNormalization":    "  const g = f32[4]{random}\n  y = RMSNormalization(x, g) {epsilon=0.1}",
	"ScatterElements":     "  const i = i64[2,1,4]{0, 1, 2, 2, 1, 1, 1, 1}\n  const w = f32[2,1,4]{random}\n  y = ScatterElements(x, i, w) {axis=1}",
	"ScatterND":           "  const i = i64[2,1]{1, 0}\n  const w = f32[2,3,4]{random}\n  y = ScatterND(x, i, w)",
	"simplified":          "  const g = f32[4]{random}\n  y = SimplifiedLayerNormalization(x, g)",
	"Softmax":             "  y = Softmax(x)",
	"Softmax, axis 1":     "  const s = i64[4]{1, 2, 3, 4}\n  z = Reshape(x, s)\n  y = Softmax(z) {axis=1}",
	"Softmax, axis 2":     "  const s = i64[4]{1, 2, 3, 4}\n  z = Reshape(x, s)\n  y = Softmax(z) {axis=2}",
	"Squeeze":             "  const a = i64[2]{1, 2}\n  const b = i64[1]{-3}\n  u = Unsqueeze(x, a)\n  y = Squeeze(u, b)",
	"Sum":                 "  const w = f32[3,1]{random}\n  y = Sum(x, w, x)",
	"Tile":                "  const r = i64[3]{1, 2, 3}\n  y = Tile(x, r)",
	"Transpose":           "  y = Transpose(x)",
	"Transpose 0 2 1":     "  y = Transpose(x) {perm=[0, 2, 1]}",
	"Transpose 1 0 2":     "  y = Transpose(x) {perm=[1, 0, 2]}",
	"Transpose 1 2 0":     "  y = Transpose(x) {perm=[1, 2, 0]}",
	"Transpose heads":     "  const s = i64[4]{1, 2, 3, 4}\n  z = Reshape(x, s)\n  y = Transpose(z) {perm=[0, 2, 3, 1]}",
	"Transpose keys":      "  const s = i64[4]{1, 3, 2, 4}\n  z = Reshape(x, s)\n  y = Transpose(z) {perm=[0, 2, 3, 1]}",
	"Trilu":               "  y = Trilu(x) {upper=0}",
	"Where":               "  const c = bool[3,1]{true, false, true}\n  const w = f32[2,1,4]{random}\n  y = Where(c, w, x)",
	"Where a number":      "  const c = bool[2,3,1]{true, false, true, true, false, false}\n  const w = f32[]{random}\n  y = Where(c, x, w)",
	"MatMul":              "  const w = f32[4,5]{random}\n  y = MatMul(x, w)",
	"MatMul, stacks":      "  const w = f32[2,4,5]{random}\n  y = MatMul(x, w)",
	"MatMul, broadcast":   "  const w = f32[3,1,4,2]{random}\n  y = MatMul(x, w)",
	"MatMul, one left":    "  const w = f32[5,3]{random}\n  y = MatMul(w, x)",
	"MatMul, vectors":     "  const w = f32[4]{random}\n  const v = f32[3]{random}\n  z = MatMul(x, w)\n  u = MatMul(v, x)\n  const a = i64[1]{1}\n  s = ReduceSum(u, a)\n  y = Add(z, s)",
	"MatMul of itself":    "  t = Transpose(x) {perm=[0, 2, 1]}\n  y = MatMul(x, t)",
	"Gemm":                "  const s = i64[2]{6, 4}\n  const w = f32[4,5]{random}\n  const c = f32[5]{random}\n  z = Reshape(x, s)\n  y = Gemm(z, w, c)",
	"Gemm, all of it":     "  const s = i64[2]{6, 4}\n  const w = f32[5,6]{random}\n  const c = f32[4,1]{random}\n  z = Reshape(x, s)\n  y = Gemm(z, w, c) {transA=1, transB=1, alpha=0.5, beta=-2.0}",
	"Gemm without c":      "  const s = i64[2]{6, 4}\n  const w = f32[5,4]{random}\n  z = Reshape(x, s)\n  y = Gemm(z, w) {transB=1, alpha=0.5}",
}

// fixed are the cases whose constants are not differentiated by.
var fixed = []string{"Pow 2"}

func TestDense(t *testing.T) {
	for name, body := range denseCases {
		opset := 18
		if strings.HasPrefix(body[strings.LastIndex(body, "= ")+2:], "RMS") {
			opset = 23
		}
		t.Run(name, func(t *testing.T) {
			if slices.Contains(fixed, name) {
				checkGradients(t, oneNode(opset, "x f32[2,3,4]", body), onlyInputs)
				return
			}
			checkGradients(t, oneNode(opset, "x f32[2,3,4]", body), nil)
		})
	}
}

// TestLargeProducts takes every path of products: many panels, tasks, and sums cut in
// slices.
func TestLargeProducts(t *testing.T) {
	for name, body := range map[string]string{
		"rows":   "  const w = f32[33,70]{random}\n  y = MatMul(x, w)",
		"stacks": "  const w = f32[1,33,21]{random}\n  z = MatMul(x, w)\n  u = Transpose(z) {perm=[0, 2, 1]}\n  y = MatMul(u, x)",
	} {
		t.Run(name, func(t *testing.T) { checkGradients(t, oneNode(18, "x f32[2,40,33]", body), onlyInputs) })
	}
}
