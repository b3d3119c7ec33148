package engine_test

import "testing"

func TestConv(t *testing.T) {
	check(t, []rowCase{
		{"bias relu", `(x f32[N,5,9,7]) -> (y) {
			const w = f32[6,5,3,3]{*0.0}
			const wb = f32[6]{*0.0}
			a = Conv(x, w, wb) {pads=[1,1,1,1], strides=[2,1]}
			y = Relu(a)
		}`, []string{"to channels last", "conv 3x3", "to channels first"}},
		{"residual", `(x f32[N,8,6,6]) -> (y) {
			const w1 = f32[8,8,3,3]{*0.0}
			const w2 = f32[8,8,1,1]{*0.0}
			const w3 = f32[4,8,1,1]{*0.0}
			a = Conv(x, w1) {pads=[1,1,1,1]}
			r = Relu(a)
			c = Conv(r, w2)
			d = Add(r, c)
			e = Relu(d)
			y = Conv(e, w3)
		}`, []string{"to channels last", "conv 3x3", "conv 1x1", "conv 1x1", "to channels first"}},
		{"groups dilations same", `(x f32[N,6,11,8]) -> (y) {
			const w = f32[9,2,3,2]{*0.0}
			y = Conv(x, w) {group=3, auto_pad="SAME_LOWER", dilations=[2,1]}
		}`, nil},
		{"depthwise batch norm", `(x f32[N,7,9,9]) -> (y) {
			const w = f32[7,1,3,3]{*0.0}
			const ws = f32[7]{*0.0}
			const wb = f32[7]{*0.0}
			const wm = f32[7]{*0.0}
			const v = f32[7]{*2.0}
			const lo = f32[]{0.0}
			const hi = f32[]{6.0}
			a = Conv(x, w) {group=7, pads=[1,0,1,2]}
			n = BatchNormalization(a, ws, wb, wm, v)
			y = Clip(n, lo, hi)
		}`, []string{"to channels last", "depthwise 3x3", "to channels first"}},
		{"one axis", `(x f32[N,5,33]) -> (y) {
			const w = f32[4,5,5]{*0.0}
			const ws = f32[1,4,1]{*0.0}
			const wb = f32[4,1]{*0.0}
			a = Conv(x, w) {strides=[2], pads=[2,1]}
			s = Mul(a, ws)
			y = Add(wb, s)
		}`, []string{"to channels last", "conv 1x5", "to channels first"}},
		{"transposed", `(x f32[N,4,5,3]) -> (y) {
			const w = f32[4,3,3,2]{*0.0}
			const wb = f32[3]{*0.0}
			a = ConvTranspose(x, w, wb) {strides=[2,3], pads=[1,0,0,1], output_padding=[1,0]}
			y = Relu(a)
		}`, nil},
		{"transposed in groups", `(x f32[N,4,7]) -> (y) {
			const w = f32[4,3,4]{*0.0}
			const ws = f32[1,6,1]{*0.0}
			a = ConvTranspose(x, w) {group=2, dilations=[2]}
			y = Mul(a, ws)
		}`, nil},
		{"shared result", `(x f32[N,3,8,8]) -> (a, y) {
			const w = f32[5,3,3,3]{*0.0}
			a = Conv(x, w)
			y = Relu(a)
		}`, nil},
		{"half", `(x f16[N,3,8,8]) -> (y) {
			const w = f16[5,3,3,3]{*0.0}
			a = Conv(x, w)
			y = Sigmoid(a)
		}`, nil},
		{"three axes", `(x f32[N,2,4,4,4]) -> (y) {
			const w = f32[3,2,2,2,2]{*0.0}
			y = Conv(x, w)
		}`, []string{"reference"}},
	})
}
