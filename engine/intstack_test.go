package engine_test

import (
	"context"
	"strings"
	"testing"

	"pare/engine"
)

// half is what the terms of the cases below share: numbers of codes whose levels
// lie between integers.
const half = `
	const one = f32[]{1.0}
	const mid = f32[]{0.5}
	const none = f32[]{0.0}
`

// stackCases have weights that are sums of terms.
var stackCases = []intCase{
	{"two orders", `(x f32[N,5,9,7]) -> (y) {
		const q = i8[6,5,3,3]{*0}
		const q2 = i8[6,5,3,3]{*0}
		const s2 = f32[6]{0.0003, 0.0004, 0.0001, 0.0002, 0.0002, 0.0003}
		const wb = f32[6]{*0.0}` + grids + codesOfX + `
		w1 = DequantizeLinear(q, cs) {axis=0}
		w2 = DequantizeLinear(q2, s2) {axis=0}
		w = Add(w1, w2)
		a = Conv(d, w, wb) {pads=[1,1,1,1], strides=[2,1]}
		p = Relu(a)` + end, []string{"to channels last", "quantize", "int8 conv 3x3 +6 rows", "dequantize", "to channels first"}},
	{"rows between integers, in groups, a sum behind", `(x f32[N,6,6,6]) -> (y) {
		const q = i8[6,3,3,3]{*0}
		const j2 = i8[2,3,3,3]{*0}
		const j3 = i8[4,3,3,3]{*0}
		const p2 = u8[6]{0, 0, 0, 0, 1, 0}
		const p3 = u8[6]{0, 1, 2, 0, 0, 3}
		const s2 = f32[6,1,1,1]{0.0, 0.011, 0.0, 0.0, 0.013, 0.0}
		const s3 = f32[6,1,1,1]{0.02, 0.01, 0.013, 0.0, 0.0, 0.017}` + half + grids + codesOfX + `
		w1 = DequantizeLinear(q, cs) {axis=0}
		a2 = DequantizeLinear(j2, one)
		b2 = Add(a2, mid)
		i2 = Cast(p2) {to=6}
		g2 = Gather(b2, i2) {axis=0}
		t2 = Mul(g2, s2)
		w2 = Add(w1, t2)
		a3 = DequantizeLinear(j3, one)
		b3 = Add(a3, mid)
		i3 = Cast(p3) {to=6}
		g3 = Gather(b3, i3) {axis=0}
		t3 = Mul(g3, s3)
		w = Add(w2, t3)
		a = Conv(d, w) {group=2, pads=[1,1,1,1]}
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		s = Add(d, e)
		p = Relu(s)` + end, []string{"to channels last", "quantize", "int8 conv 3x3 +6 rows", "dequantize", "to channels first"}},
	{"depthwise, folded", `(x f32[N,6,9,8]) -> (y) {
		const q = i8[6,1,3,3]{*0}
		const q2 = i8[2,1,3,3]{*0}
		const p2 = u8[6]{0, 0, 0, 0, 1, 0}
		const s2 = f32[6,1,1,1]{0.0, 0.0011, 0.0, 0.0, 0.0013, 0.0}
		const ws = f32[6]{*0.0}
		const wb = f32[6]{*0.0}
		const wm = f32[6]{*0.0}
		const v = f32[6]{*2.0}` + half + grids + codesOfX + `
		w1 = DequantizeLinear(q, cs) {axis=0}
		a2 = DequantizeLinear(q2, one)
		b2 = Add(a2, none)
		i2 = Cast(p2) {to=6}
		g2 = Gather(b2, i2) {axis=0}
		t2 = Mul(g2, s2)
		w = Add(w1, t2)
		a = Conv(d, w) {group=6, pads=[1,1,1,1]}
		p = BatchNormalization(a, ws, wb, wm, v)` + end, []string{"to channels last", "quantize", "int8 depthwise 3x3 +2 rows", "dequantize", "to channels first"}},
	{"product behind a power grid", `(x f32[N,4,9]) -> (y) {
		const k = u8[9,6]{*0}
		const levels = f32[7]{-127, -56, -14, 0, 14, 56, 127}
		const ps = f32[1,6]{0.01, 0.02, 0.015, 0.01, 0.01, 0.02}
		const j2 = i8[9,3]{*0}
		const p2 = u8[6]{0, 0, 0, 1, 0, 2}
		const s2 = f32[1,6]{0.0, 0.011, 0.0, 0.013, 0.0, 0.02}
		const wb = f32[6]{*0.0}` + half + grids + codesOfX + `
		k1 = DequantizeLinear(k, one)
		k2 = Cast(k1) {to=6}
		k3 = Gather(levels, k2)
		w1 = Mul(k3, ps)
		a2 = DequantizeLinear(j2, one)
		b2 = Add(a2, mid)
		i2 = Cast(p2) {to=6}
		g2 = Gather(b2, i2) {axis=1}
		t2 = Mul(g2, s2)
		w = Add(w1, t2)
		a = MatMul(d, w)
		b = Add(wb, a)
		p = Relu(b)` + end, []string{"quantize", "int8 matmul +3 rows", "dequantize"}},
	{"floats behind a Gemm", `(x f32[N,9]) -> (y) {
		const q = i8[11,9]{*0}
		const q2 = i8[11,9]{*0}
		const wb = f32[11]{*0.0}
		const gs = f32[11]{*0.01}
		const hs = f32[11]{*0.0001}` + grids + codesOfX + `
		w1 = DequantizeLinear(q, gs) {axis=0}
		w2 = DequantizeLinear(q2, hs) {axis=0}
		w = Add(w1, w2)
		y = Gemm(d, w, wb) {transB=1, alpha=0.5, beta=2.0}
	}`, []string{"quantize", "int8 gemm +11 rows"}},
	{"levels beyond 8 bits", `(x f32[N,6,4,4]) -> (y) {
		const q = i8[6,6,1,1]{*0}
		const q2 = i8[2,6,1,1]{*0}
		const p2 = u8[6]{0, 0, 0, 0, 1, 0}
		const s2 = f32[6,1,1,1]{0.0, 0.0011, 0.0, 0.0, 0.0013, 0.0}` + half + grids + codesOfX + `
		w1 = DequantizeLinear(q, cs) {axis=0}
		a2 = DequantizeLinear(q2, one)
		b2 = Add(a2, mid)
		i2 = Cast(p2) {to=6}
		g2 = Gather(b2, i2) {axis=0}
		t2 = Mul(g2, s2)
		w = Add(w1, t2)
		p = Conv(d, w)` + end, []string{"fake quantize", "to channels last", "conv 1x1", "fake quantize", "to channels first"}},
}

// expanded is x in two orders.
const expanded = `
	const rs = f32[]{0.0001}
	const rz = u8[]{128}
` + codesOfX + `
	r = Sub(x, d)
	rq = QuantizeLinear(r, rs, rz)
	rd = DequantizeLinear(rq, rs, rz)
	e = Add(d, rd)
`

// expandedCases have data that are sums of two orders.
var expandedCases = []intCase{
	{"expanded data", `(x f32[N,5,9,7]) -> (y) {
		const q = i8[6,5,3,3]{*0}
		const q2 = i8[6,5,3,3]{*0}
		const s2 = f32[6]{0.0003, 0.0004, 0.0001, 0.0002, 0.0002, 0.0003}
		const wb = f32[6]{*0.0}` + grids + expanded + `
		w1 = DequantizeLinear(q, cs) {axis=0}
		w2 = DequantizeLinear(q2, s2) {axis=0}
		w = Add(w1, w2)
		a = Conv(e, w, wb) {pads=[1,1,1,1], strides=[2,1]}
		p = Relu(a)` + end, []string{"to channels last", "quantize", "dequantize", "sub", "quantize", "int8 conv 3x3 +6 rows of the rest",
		"int8 conv 3x3 +6 rows", "dequantize", "to channels first"}},
	{"expanded rows", `(x f32[N,4,9]) -> (y) {
		const q = i8[9,6]{*0}
		const wb = f32[6]{*0.0}` + grids + expanded + `
		w = DequantizeLinear(q, cs) {axis=1}
		a = MatMul(e, w)
		b = Add(wb, a)
		p = Relu(b)` + end, []string{"quantize", "dequantize", "sub", "quantize", "int8 matmul of the rest", "int8 matmul", "dequantize"}},
	{"expanded data read as floats, too", `(x f32[N,6,5,5]) -> (y) {
		const q = i8[6,6,1,1]{*0}` + grids + expanded + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(e, w)
		y = Mul(a, e)
	}`, []string{"to channels last", "quantize", "dequantize", "sub", "quantize", "int8 conv 1x1 of the rest", "int8 conv 1x1", "dequantize", "add", "mul", "to channels first"}},
}

// TestExpandedIntegers: products of data in two orders run on integers.
func TestExpandedIntegers(t *testing.T) { testIntegers(t, expandedCases) }

// TestStackedIntegers: sums of terms run on integers, with the same bits on every
// processor.
func TestStackedIntegers(t *testing.T) { testIntegers(t, stackCases) }

// TestFloatsExplained: a step that leaves the integers for its weights' terms says
// so, others do not.
func TestFloatsExplained(t *testing.T) {
	for _, c := range stackCases {
		m := model(t, c.body)
		fillConsts(m)
		fillCodes(m)
		s, _ := open(t, m, engine.Options{})
		steps, err := s.Profile(context.Background(), inputsOf(m, 1), 1)
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, st := range steps {
			said += st.Floats
		}
		if want := c.name == "levels beyond 8 bits"; want != strings.Contains(said, "more than 8 bits") || !want && said != "" {
			t.Errorf("%s: %q", c.name, said)
		}
	}
}
