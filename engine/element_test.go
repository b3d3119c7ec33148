package engine_test

import (
	"fmt"
	"testing"
)

func TestBinary(t *testing.T) {
	var cases []rowCase
	shapes := [][2]string{{"[N,3,4]", "[N,3,4]"}, {"[N,3,4]", "[]"}, {"[]", "[N,3,4]"}, {"[N,3,4]", "[4]"}, {"[4]", "[N,3,4]"},
		{"[N,3,4]", "[3,1]"}, {"[N,1,4]", "[1,3,1]"}, {"[N,1]", "[5]"}, {"[2,N,4,3]", "[2,1,1,3]"}, {"[1]", "[1,1]"}, {"[N,3,4,5]", "[N,3,1,1]"}}
	for _, op := range []string{"Add", "Sub", "Mul", "Div"} {
		for _, s := range shapes {
			cases = append(cases, rowCase{op + s[0] + s[1], fmt.Sprintf("(x f32%s, z f32%s) -> (y) { y = %s(x, z) }", s[0], s[1], op), nil})
		}
	}
	check(t, cases)
}

// TestBinaryLast has operands with channels last.
func TestBinaryLast(t *testing.T) {
	for _, s := range []string{"[N,5,4,3]", "[1,5,1,1]", "[N,5,1,1]", "[5,1,1]", "[4,3]", "[5,4,3]", "[5,4,1]", "[3]", "[]", "[N,1,4,3]", "[1]"} {
		for _, swap := range []string{"Sub(c, z)", "Sub(z, c)"} {
			check(t, []rowCase{{s + swap, fmt.Sprintf(`(x f32[N,2,6,5], z f32%s) -> (y) {
				const w = f32[5,2,3,3]{*0.0}
				const w2 = f32[3,5,1,1]{*0.0}
				c = Conv(x, w)
				d = %s
				e = Relu(d)
				y = Conv(e, w2)
			}`, s, swap), nil}})
		}
	}
}

func TestUnary(t *testing.T) {
	var cases []rowCase
	for _, op := range []string{"Relu(x)", "Sigmoid(x)", "Tanh(x)", "Erf(x)", "Exp(x)", "HardSwish(x)", "HardSigmoid(x) {alpha=0.3}",
		"LeakyRelu(x)", "Neg(x)", "Abs(x)", "Reciprocal(x)", "Clip(x, lo, _)", "Clip(x, _, hi)", "Clip(x, lo, hi)", "Identity(x)", "Pow(x, two)", "Pow(x, three)", "Pow(x, hi)",
		"Sin(x)", "Cos(x)", "Floor(x)", "Ceil(x)", "Round(x)", "Softplus(x)", "Softsign(x)", "Elu(x) {alpha=0.5}", "Selu(x)", "Sum(x, two, x, lo)"} {
		cases = append(cases, rowCase{op, `(x f32[N,3,40]) -> (y) {
			const lo = f32[]{-0.5}
			const hi = f32[]{0.25}
			const two = f32[]{2.0}
			const three = f32[]{3.0}
			y = ` + op + ` }`, nil})
	}
	cases = append(cases,
		rowCase{"sqrt", `(x f32[N,3]) -> (y) { a = Abs(x)
			y = Sqrt(a) }`, nil},
		rowCase{"log", `(x f32[N,3]) -> (y) { a = Abs(x)
			y = Log(a) }`, nil},
		rowCase{"prelu", `(x f32[N,3,4,4]) -> (y) { const w = f32[3,1,1]{*0.0}
			y = PRelu(x, w) }`, nil},
		rowCase{"silu", `(x f32[N,3]) -> (y) { a = Sigmoid(x)
			y = Mul(x, a) }`, []string{"silu"}},
		rowCase{"hardswish", `(x f32[N,3]) -> (y) { a = HardSigmoid(x) {alpha=0.16666667, beta=0.5}
			y = Mul(a, x) }`, []string{"hardswish"}},
		rowCase{"shared sigmoid", `(x f32[N,3]) -> (y, a) { a = Sigmoid(x)
			y = Mul(x, a) }`, []string{"sigmoid", "mul"}},
	)
	check(t, cases)
}

func TestViews(t *testing.T) {
	check(t, []rowCase{
		{"transpose", `(x f32[N,3,4,5]) -> (y) { y = Transpose(x) {perm=[0,2,3,1]} }`, []string{"copy"}},
		{"transpose all", `(x f32[N,3,4]) -> (y) { y = Transpose(x) }`, nil},
		{"transpose add", `(x f32[N,3,4], z f32[4,N]) -> (y) { a = Transpose(x) {perm=[1,2,0]}
			y = Add(a, z) }`, nil},
		{"heads add", `(x f32[N,3,4,8], z f32[N,4,3,8]) -> (y) { a = Transpose(x) {perm=[0,2,1,3]}
			y = Add(a, z) }`, []string{"add"}},
		{"tokens of channels last", `(x f32[N,3,6,6]) -> (y) { const w = f32[4,3,3,3]{*0.0}
			const s = i64[3]{0,0,-1}
			a = Conv(x, w)
			b = Reshape(a, s)
			y = Transpose(b) {perm=[0,2,1]} }`, []string{"to channels last", "conv 3x3"}},
		{"channel shuffle", `(x f32[N,3,6,6]) -> (y) { const w = f32[6,3,3,3]{*0.0}
			const w2 = f32[4,6,1,1]{*0.0}
			const s = i64[4]{0,2,3,-1}
			const s2 = i64[4]{0,6,4,4}
			a = Conv(x, w)
			b = Reshape(a, s)
			c = Transpose(b) {perm=[0,2,1,3]}
			d = Reshape(c, s2)
			y = Conv(d, w2) }`, nil},
		{"reshape", `(x f32[N,3,4]) -> (y) { const s = i64[2]{0,-1}
			y = Reshape(x, s) }`, []string{}},
		{"heads", `(x f32[N,6,8]) -> (y) {
			const s = i64[4]{0,0,2,4}
			const s2 = i64[3]{0,0,8}
			a = Reshape(x, s)
			b = Transpose(a) {perm=[0,2,1,3]}
			c = Sigmoid(b)
			d = Transpose(c) {perm=[0,2,1,3]}
			y = Reshape(d, s2) }`, nil},
		{"slice", `(x f32[N,7,9]) -> (y) {
			const s = i64[2]{1,-8}
			const e = i64[2]{6,99}
			const a = i64[2]{1,2}
			const st = i64[2]{2,1}
			y = Slice(x, s, e, a, st) }`, nil},
		{"split", `(x f32[N,7,9]) -> (y, z) {
			const s = i64[2]{3,4}
			y, z = Split(x, s) {axis=1} }`, nil},
		{"gather one", `(x f32[N,7,9]) -> (y) { const i = i64[]{-2}
			y = Gather(x, i) {axis=1} }`, nil},
		{"gather rows", `(i i64[N,5]) -> (y) { const w = f32[4,6]{*0.0}
			y = Gather(w, i) }`, nil},
		{"gather inner", `(x f32[3,4,2], i i32[N]) -> (y) { y = Gather(x, i) {axis=1} }`, nil},
		{"expand", `(x f32[N,1,4]) -> (y) { const s = i64[4]{2,1,3,1}
			y = Expand(x, s) }`, nil},
		{"channels last transpose", `(x f32[N,3,6,6]) -> (y) { const w = f32[4,3,3,3]{*0.0}
			a = Conv(x, w)
			y = Transpose(a) {perm=[0,2,3,1]} }`, []string{"to channels last", "conv 3x3"}},
		{"channels sliced", `(x f32[N,3,6,6]) -> (y) { const w = f32[4,3,3,3]{*0.0}
			const w2 = f32[4,3,1,1]{*0.0}
			const s = i64[1]{1}
			const e = i64[1]{4}
			const ax = i64[1]{1}
			a = Conv(x, w)
			b = Slice(a, s, e, ax)
			y = Conv(b, w2) }`, []string{"to channels last", "conv 3x3", "conv 1x1", "to channels first"}},
		{"flatten pooled", `(x f32[N,3,3,3]) -> (y) { const w = f32[4,3,3,3]{*0.0}
			a = Conv(x, w)
			y = Flatten(a) }`, []string{"to channels last", "conv 3x3"}},
	})
}
