package engine_test

import "testing"

func TestForms(t *testing.T) {
	const gelu = `(x f32[N,3,7]) -> (y) { const h = f32[]{0.5}
		const one = f32[]{1.0}
		const s2 = f32[]{1.4142135}
		const r2 = f32[]{0.70710677}
		`
	const hard = `(x f32[N,3,7]) -> (y) { const three = f32[]{3.0}
		const six = f32[]{6.0}
		const zero = f32[]{0.0}
		const sixth = f32[]{0.16666667}
		a = Add(x, three)
		b = Clip(a, zero, six)
		`
	const norm = `(x f32[N,3,7]) -> (y) { const ax = i64[1]{-1}
		const two = f32[]{2.0}
		const eps = f32[]{1e-5}
		const w = f32[7]{*0.0}
		const wb = f32[7]{*0.0}
		m = ReduceMean(x, ax)
		d = Sub(x, m)
		`
	check(t, []rowCase{
		{"gelu 1", gelu + `a = Div(x, s2)
			b = Erf(a)
			c = Add(b, one)
			d = Mul(x, c)
			y = Mul(d, h) }`, []string{"gelu"}},
		{"gelu 2", gelu + `a = Mul(r2, x)
			b = Erf(a)
			c = Add(one, b)
			e = Mul(x, h)
			y = Mul(e, c) }`, []string{"gelu"}},
		{"gelu 3", gelu + `e = Mul(x, h)
			a = Div(x, s2)
			b = Erf(a)
			c = Add(b, one)
			d = Mul(c, h)
			y = Mul(x, d) }`, nil},
		{"not gelu", gelu + `a = Div(x, s2)
			b = Erf(a)
			c = Add(b, one)
			d = Mul(c, h)
			y = Mul(a, d) }`, []string{"div", "erf", "add", "mul", "mul"}},
		{"hard swish 1", hard + `c = Mul(x, b)
			y = Div(c, six) }`, []string{"hardswish"}},
		{"hard swish 2", hard + `c = Mul(b, sixth)
			y = Mul(c, x) }`, []string{"hardswish"}},
		{"hard sigmoid", hard + `y = Div(b, six) }`, []string{"hardsigmoid"}},
		{"layer norm", norm + `p = Pow(d, two)
			v = ReduceMean(p, ax)
			e = Add(v, eps)
			s = Sqrt(e)
			q = Div(d, s)
			g = Mul(q, w)
			y = Add(g, wb) }`, []string{"layernorm"}},
		{"layer norm by products", norm + `p = Mul(d, d)
			v = ReduceMean(p, ax)
			e = Add(v, eps)
			s = Sqrt(e)
			y = Div(d, s) }`, []string{"layernorm"}},
		{"rms norm", `(x f32[N,3,7]) -> (y) { const ax = i64[1]{-1}
			const two = f32[]{2.0}
			const one = f32[]{1.0}
			const eps = f32[]{1e-5}
			const w = f32[7]{*0.0}
			p = Pow(x, two)
			v = ReduceMean(p, ax)
			e = Add(v, eps)
			s = Sqrt(e)
			r = Div(one, s)
			q = Mul(x, r)
			y = Mul(w, q) }`, []string{"rmsnorm"}},
		{"rms norm by quotient", `(x f32[N,3,7]) -> (y) { const ax = i64[1]{2}
			const eps = f32[]{1e-5}
			p = Mul(x, x)
			v = ReduceMean(p, ax)
			e = Add(v, eps)
			s = Sqrt(e)
			q = Div(x, s)
			y = Relu(q) }`, nil},
		{"not layer norm", norm + `p = Pow(d, two)
			v = ReduceMean(p, ax)
			e = Add(v, eps)
			s = Sqrt(e)
			q = Div(x, s)
			y = Mul(q, d) }`, nil},
	})
}

func TestQuantize(t *testing.T) {
	check(t, []rowCase{
		{"tensor", `(x f32[N,3,7]) -> (y) { const s = f32[]{0.05}
			const z = u8[]{100}
			q = QuantizeLinear(x, s, z)
			y = DequantizeLinear(q, s, z) }`, []string{"fake quantize"}},
		{"signed", `(x f32[N,3,7]) -> (y, u) { const s = f32[]{0.01}
			const z = i8[]{0}
			q = QuantizeLinear(x, s, z)
			y = DequantizeLinear(q, s, z)
			d = DequantizeLinear(q, s, z)
			u = Relu(d) }`, nil},
		{"channels", `(x f32[N,3,5,5]) -> (y) { const w = f32[3,3,1,1]{*0.0}
			const s = f32[3]{0.05, 0.1, 0.02}
			const z = u8[3]{100, 0, 255}
			c = Conv(x, w)
			q = QuantizeLinear(c, s, z)
			y = DequantizeLinear(q, s, z) }`, nil},
		{"simulated", `(x f32[N,3,7]) -> (y, z) { const s = f32[]{0.125}
			const zero = f32[]{0.0}
			const bits = f32[]{4.0}
			y = "onnx.brevitas"::Quant(x, s, zero, bits) {signed=1, narrow=1, rounding_mode="ROUND"}
			z = "onnx.brevitas"::Quant(x, s, zero, bits) {signed=0, narrow=0} }`, []string{"fake quantize", "fake quantize"}},
		{"power grid", `(x f32[N,3,7]) -> (y) { const f = f32[]{1.5}
			const o = f32[]{2.5}
			const lo = f32[]{0.0}
			const hi = f32[]{5.0}
			const t = u8[6]{0, 1, 1, 2, 3, 3}
			const one = f32[]{1.0}
			const l = f32[4]{-9.0, 0.0, 4.0, 25.0}
			const s = f32[]{0.125}
			a = Mul(x, f)
			b = Add(a, o)
			c = Clip(b, lo, hi)
			d = Cast(c) {to=6}
			q = Gather(t, d)
			e = DequantizeLinear(q, one)
			g = Cast(e) {to=6}
			h = Gather(l, g)
			y = Mul(h, s) }`, []string{"fake quantize power"}},
		{"no pair", `(x f32[N,3]) -> (q) { const s = f32[]{0.05}
			q = QuantizeLinear(x, s) }`, []string{"reference"}},
		{"other grid", `(x f32[N,3]) -> (y) { const s = f32[]{0.05}
			const s2 = f32[]{0.06}
			q = QuantizeLinear(x, s)
			y = DequantizeLinear(q, s2) }`, []string{"reference", "reference"}},
		{"weights", `(x f32[N,3]) -> (y) { const w = i8[3,4]{*0}
			const s = f32[4]{0.05, 0.1, 0.02, 0.3}
			a = DequantizeLinear(w, s) {axis=1}
			y = MatMul(x, a) }`, []string{"matmul"}},
	})
}

func TestResize(t *testing.T) {
	var cases []rowCase
	for _, mode := range []string{`mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"`, `mode="linear"`,
		`mode="linear", coordinate_transformation_mode="align_corners"`, `mode="cubic"`} {
		cases = append(cases, rowCase{mode, `(x f32[N,3,4,5]) -> (y, z) { const s = f32[4]{1.0, 1.0, 2.0, 2.5}
			const w = f32[9,3,1,1]{*0.0}
			const size = i64[4]{1, 9, 7, 3}
			y = Resize(x, _, s) {` + mode + `}
			c = Conv(x, w)
			const s2 = f32[4]{1.0, 1.0, 2.0, 2.0}
			z = Resize(c, _, s2) {` + mode + `} }`, nil})
	}
	check(t, cases)
}

// TestConvolutionsActivate: functions of one value end the convolution before
// them, unless something else reads it.
func TestConvolutionsActivate(t *testing.T) {
	const conv = `(x f32[N,6,9,8]) -> (y) { const w = f32[6,6,1,1]{*0.0}
		a = Conv(x, w)
		`
	const wide = `(x f32[N,6,9,8]) -> (y) { const w = f32[6,1,3,3]{*0.0}
		const r = f32[6]{*0.0}
		a = Conv(x, w, r) {group=6, pads=[1,1,1,1]}
		`
	const hard = `const three = f32[]{3.0}
		const zero = f32[]{0.0}
		const six = f32[]{6.0}
		b = Add(a, three)
		c = Clip(b, zero, six)
		`
	check(t, []rowCase{
		{"silu", conv + `b = Sigmoid(a)
			y = Mul(a, b) }`, []string{"to channels last", "conv 1x1 silu", "to channels first"}},
		{"silu behind a sum", conv + `c = Add(x, a)
			b = Sigmoid(c)
			y = Mul(b, c) }`, []string{"to channels last", "conv 1x1 silu", "to channels first"}},
		{"silu of a value that is needed", conv + `b = Sigmoid(a)
			c = Mul(a, b)
			y = Sub(c, a) }`, []string{"to channels last", "conv 1x1", "silu", "sub", "to channels first"}},
		{"gate", `(x f32[N,6,9,8]) -> (y) { const w = f32[6,6,1,1]{*0.0}
			const w2 = f32[5,6,1,1]{*0.0}
			a = Conv(x, w)
			g = GlobalAveragePool(a)
			b = Conv(g, w)
			c = Sigmoid(b)
			d = Mul(c, a)
			y = Conv(d, w2) {strides=[2,1]} }`, []string{"to channels last", "conv 1x1", "mean", "conv 1x1 sigmoid", "gated conv 1x1", "to channels first"}},
		{"gate for two", `(x f32[N,6,9,8], g f32[N,6,1,1]) -> (y, z) { const w = f32[6,6,1,1]{*0.0}
			a = Conv(x, w)
			d = Mul(a, g)
			y = Conv(d, w)
			z = Relu(d) }`, nil},
		{"gate behind padding", `(x f32[N,6,9,8], g f32[N,6,1,1]) -> (y) { const w = f32[6,6,1,1]{*0.0}
			a = Conv(x, w)
			d = Mul(a, g)
			y = Conv(d, w) {pads=[1,1,1,1]} }`, nil},
		{"sigmoid", wide + `y = Sigmoid(a) }`, []string{"to channels last", "depthwise 3x3 sigmoid", "to channels first"}},
		{"hard swish", wide + `y = HardSwish(a) }`, []string{"to channels last", "depthwise 3x3 hardswish", "to channels first"}},
		{"hard swish of two", wide + `b = HardSigmoid(a) {alpha=0.16666667, beta=0.5}
			y = Mul(a, b) }`, []string{"to channels last", "depthwise 3x3 hardswish", "to channels first"}},
		{"hard swish written out", wide + hard + `d = Mul(a, c)
			y = Div(d, six) }`, []string{"to channels last", "depthwise 3x3 hardswish", "to channels first"}},
	})
}
