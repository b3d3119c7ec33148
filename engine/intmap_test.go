package engine_test

import "testing"

// mapCases compute functions of codes, and float steps whose results come to
// grids.
var mapCases = []intCase{
	{"silu behind a grid", `(x f32[N,6,5,5]) -> (y) {
		const q = i8[8,6,3,3]{*0}
		const q2 = i8[6,8,1,1]{*0}
		const s6 = f32[]{0.004}` + grids + codesOfX + `
		w = DequantizeLinear(q, s6)
		a = Conv(d, w) {pads=[1,1,1,1]}
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		g = Sigmoid(e)
		h = Mul(e, g)
		hq = QuantizeLinear(h, xs, xz)
		f = DequantizeLinear(hq, xs, xz)
		w2 = DequantizeLinear(q2, cs) {axis=0}
		p = Conv(f, w2)` + end, []string{"to channels last", "quantize", "int8 conv 3x3 map", "int8 conv 1x1", "dequantize", "to channels first"}},
	{"sigmoid and product with grids of their own", `(x f32[N,6,5,5]) -> (y) {
		const q = i8[6,6,1,1]{*0}
		const gs = f32[]{0.0039}
		const gz = u8[]{0}` + grids + codesOfX + `
		g = Sigmoid(d)
		gq = QuantizeLinear(g, gs, gz)
		e = DequantizeLinear(gq, gs, gz)
		h = Mul(e, d)
		hq = QuantizeLinear(h, is, iz)
		f = DequantizeLinear(hq, is, iz)
		w = DequantizeLinear(q, cs) {axis=0}
		p = Conv(f, w)` + end, []string{"to channels last", "quantize", "int8 map", "int8 conv 1x1", "dequantize", "to channels first"}},
	{"gelu written out, of rows", `(x f32[N,4,9]) -> (y) {
		const q = i8[9,40]{*0}
		const q2 = i8[40,6]{*0}
		const s2 = f32[]{1.4142135}
		const one = f32[1]{1.0}
		const half = f32[]{0.5}
		const s6 = f32[]{0.004}` + grids + codesOfX + `
		w = DequantizeLinear(q, s6)
		a = MatMul(d, w)
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		g1 = Div(e, s2)
		g2 = Erf(g1)
		g3 = Add(g2, one)
		g4 = Mul(e, g3)
		g5 = Mul(g4, half)
		gq = QuantizeLinear(g5, xs, xz)
		f = DequantizeLinear(gq, xs, xz)
		w2 = DequantizeLinear(q2, cs) {axis=1}
		p = MatMul(f, w2)` + end, []string{"quantize", "int8 matmul map", "int8 matmul", "dequantize"}},
	{"a function that floats read, too", `(x f32[N,6,5,5]) -> (y, g) {
		const q = i8[6,6,1,1]{*0}
		const three = f32[]{3.0}
		const zero = f32[]{0.0}
		const six = f32[]{6.0}` + grids + codesOfX + `
		h1 = Add(three, d)
		h2 = Clip(h1, zero, six)
		h3 = Mul(d, h2)
		h4 = Div(h3, six)
		hq = QuantizeLinear(h4, is, iz)
		f = DequantizeLinear(hq, is, iz)
		g = Relu(d)
		w = DequantizeLinear(q, cs) {axis=0}
		p = Conv(f, w)` + end, []string{"to channels last", "quantize", "int8 map", "dequantize", "clamp", "int8 conv 1x1", "dequantize", "to channels first", "to channels first"}},
	{"gate by a mean", `(x f32[N,6,5,7]) -> (y) {
		const q = i8[6,6,1,1]{*0}
		const q2 = i8[6,6,1,1]{*0}` + grids + codesOfX + `
		m = GlobalAveragePool(d)
		mq = QuantizeLinear(m, is, iz)
		e = DequantizeLinear(mq, is, iz)
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(e, w)
		g = HardSigmoid(a)
		h = Mul(g, d)
		hq = QuantizeLinear(h, is, iz)
		f = DequantizeLinear(hq, is, iz)
		w2 = DequantizeLinear(q2, cs) {axis=0}
		p = Conv(f, w2)` + end, []string{"to channels last", "quantize", "int8 mean", "quantize", "int8 conv 1x1", "hardsigmoid", "int8 gate",
		"int8 conv 1x1", "dequantize", "to channels first"}},
	{"joined from two grids", `(x f32[N,6,5,7]) -> (y) {
		const q = i8[6,6,1,1]{*0}
		const q2 = i8[6,12,1,1]{*0}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w)
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		c = Concat(d, e) {axis=1}
		cq = QuantizeLinear(c, is, iz)
		f = DequantizeLinear(cq, is, iz)
		w2 = DequantizeLinear(q2, cs) {axis=0}
		p = Conv(f, w2)` + end, []string{"to channels last", "quantize", "int8 conv 1x1", "int8 map", "int8 concat", "int8 concat", "int8 conv 1x1", "dequantize", "to channels first"}},
	{"norms onto grids", `(x f32[N,6,5,7]) -> (y) {
		const q = i8[6,6,3,3]{*0}
		const ws = f32[6]{*1.0}
		const wb = f32[6]{*0.0}
		const wm = f32[6]{*0.0}
		const v = f32[6]{*2.0}` + grids + `
		n = BatchNormalization(x, ws, wb, wm, v)
		r = Relu(n)
		rq = QuantizeLinear(r, xs, xz)
		e = DequantizeLinear(rq, xs, xz)
		w = DequantizeLinear(q, cs) {axis=0}
		p = Conv(e, w) {pads=[1,1,1,1]}` + end, []string{"scale channels", "to channels last", "quantize", "int8 conv 3x3", "dequantize", "to channels first"}},
	{"norm of codes", `(x f32[N,6,5,7]) -> (y) {
		const q = i8[6,6,1,1]{*0}
		const ws = f32[6]{1.0, -0.5, 2.0, 0.0, 0.7, 1.3}
		const wb = f32[6]{0.1, 0.5, -0.3, 0.2, 0.0, -0.6}
		const wm = f32[6]{*0.1}
		const v = f32[6]{*0.8}` + grids + codesOfX + `
		n = BatchNormalization(d, ws, wb, wm, v)
		r = Relu(n)
		rq = QuantizeLinear(r, is, iz)
		e = DequantizeLinear(rq, is, iz)
		w = DequantizeLinear(q, cs) {axis=0}
		p = Conv(e, w)` + end, []string{"to channels last", "quantize", "int8 scale", "int8 conv 1x1", "dequantize", "to channels first"}},
	{"norms of joined channels", `(x f32[N,6,5,7]) -> (y) {
		const q = i8[6,6,1,1]{*0}
		const q2 = i8[6,12,1,1]{*0}
		const ws = f32[12]{1.0, -0.5, 2.0, 0.0, 0.7, 1.3, 0.9, 1.1, 0.3, 3.0, -1.0, 0.2}
		const wb = f32[12]{0.1, 0.5, -0.3, 0.2, 0.0, -0.6, 0.4, 0.1, 0.2, 0.3, 0.8, -0.1}
		const wm = f32[12]{*0.1}
		const v = f32[12]{*0.8}
		const zero = f32[]{0.0}
		const six = f32[]{0.6}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w)
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		c = Concat(d, e) {axis=1}
		n = BatchNormalization(c, ws, wb, wm, v)
		r = Relu(n)
		rq = QuantizeLinear(r, is, iz)
		f = DequantizeLinear(rq, is, iz)
		w2 = DequantizeLinear(q2, cs) {axis=0}
		p2 = Conv(f, w2)
		m = BatchNormalization(c, wb, ws, wm, v)
		m6 = Clip(m, zero, six)
		mq = QuantizeLinear(m6, is, iz)
		g = DequantizeLinear(mq, is, iz)
		p3 = Conv(g, w2)
		p = Add(p2, p3)` + end, []string{"to channels last", "quantize", "int8 conv 1x1", "int8 scale", "int8 conv 1x1", "int8 scale", "int8 conv 1x1", "fake quantize", "to channels first"}},
	{"joined channels that floats read, too", `(x f32[N,6,5,7]) -> (y, c) {
		const q = i8[6,6,1,1]{*0}
		const q2 = i8[6,12,1,1]{*0}
		const ws = f32[12]{*1.0}
		const wb = f32[12]{*0.2}
		const v = f32[12]{*0.8}` + grids + codesOfX + `
		w = DequantizeLinear(q, cs) {axis=0}
		a = Conv(d, w)
		aq = QuantizeLinear(a, is, iz)
		e = DequantizeLinear(aq, is, iz)
		c = Concat(d, e) {axis=1}
		n = BatchNormalization(c, ws, wb, wb, v)
		rq = QuantizeLinear(n, is, iz)
		f = DequantizeLinear(rq, is, iz)
		w2 = DequantizeLinear(q2, cs) {axis=0}
		p = Conv(f, w2)` + end, []string{"to channels last", "quantize", "int8 conv 1x1", "dequantize", "dequantize", "scale channels quantize",
		"int8 conv 1x1", "dequantize", "to channels first", "to channels first"}},
	{"rows onto grids", `(x f32[N,4,9]) -> (y) {
		const q = i8[9,6]{*0}
		const ws = f32[9]{*1.0}
		const wb = f32[9]{*0.0}` + grids + `
		n = LayerNormalization(x, ws, wb)
		nq = QuantizeLinear(n, xs, xz)
		e = DequantizeLinear(nq, xs, xz)
		w = DequantizeLinear(q, cs) {axis=1}
		p = MatMul(e, w)` + end, []string{"layernorm quantize", "int8 matmul", "dequantize"}},
}

func TestMappedCodes(t *testing.T) { testIntegers(t, mapCases) }
