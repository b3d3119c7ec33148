package grad_test

import "testing"

func TestConvolutions(t *testing.T) {
	for name, text := range map[string]string{
		"plain": `opset 18
graph g(x f32[2,3,5,4]) -> (y) {
  const w = f32[4,3,3,3]{random}
  const b = f32[4]{random}
  c = Conv(x, w, b) {pads=[1, 1, 1, 1]}
  r = Relu(c)
  y = Add(r, c)
}`,
		"strided groups": `opset 18
graph g(x f32[2,4,7,6]) -> (y) {
  const w = f32[6,2,3,2]{random}
  y = Conv(x, w) {group=2, strides=[2, 1], dilations=[1, 2], auto_pad="SAME_LOWER"}
}`,
		"lines": `opset 18
graph g(x f32[2,3,9]) -> (y) {
  const w = f32[2,3,3]{random}
  y = Conv(x, w) {strides=[2], pads=[1, 0]}
}`,
		"residual network": `opset 18
graph g(x f32[2,3,5,5]) -> (y) {
  const w = f32[4,3,3,3]{random}
  const v = f32[4,4,1,1]{random}
  const s = f32[4]{positive}
  const o = f32[4]{random}
  const m = f32[4]{random}
  const va = f32[4]{positive}
  const d = f32[5,4]{random}
  const e = f32[5]{random}
  const k = f32[4,1,1]{random}
  c = Conv(x, w) {pads=[1, 1, 1, 1]}
  n = BatchNormalization(c, s, o, m, va)
  r = Relu(n)
  f = Conv(r, v)
  a = Add(f, r)
  ak = Add(k, a)
  p = GlobalAveragePool(ak)
  l = Flatten(p)
  y = Gemm(l, d, e) {transB=1, alpha=0.5, beta=2.0}
}`,
	} {
		t.Run(name, func(t *testing.T) { checkGradients(t, text, nil) })
	}
}
