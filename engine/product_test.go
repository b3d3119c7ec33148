package engine_test

import "testing"

func TestGemm(t *testing.T) {
	check(t, []rowCase{
		{"bias relu", `(x f32[N,17]) -> (y) { const w = f32[17,9]{*0.0}
			const wb = f32[9]{*0.0}
			a = Gemm(x, w, wb) {alpha=0.5, beta=2.0}
			y = Relu(a) }`, []string{"gemm"}},
		{"transposed", `(x f32[N,17]) -> (y) { const w = f32[40,17]{*0.0}
			const wb = f32[1,1]{*0.0}
			y = Gemm(x, w, wb) {transB=1} }`, []string{"gemm"}},
		{"full C", `(x f32[N,17], c f32[N,9]) -> (y) { const w = f32[17,9]{*0.0}
			y = Gemm(x, w, c) }`, []string{"gemm"}},
		{"matmul bias residual", `(x f32[N,5,17], r f32[N,5,9]) -> (y) { const w = f32[17,9]{*0.0}
			const wb = f32[9]{*0.0}
			a = MatMul(x, w)
			b = Add(a, wb)
			c = Add(r, b)
			y = Relu(c) }`, []string{"matmul"}},
		{"vector", `(x f32[17]) -> (y) { const w = f32[17,9]{*0.0}
			y = MatMul(x, w) }`, []string{"matmul"}},
	})
}

func TestMatMulPairs(t *testing.T) {
	check(t, []rowCase{
		{"batch", `(x f32[N,3,5,7], z f32[N,3,7,6]) -> (y) { y = MatMul(x, z) }`, []string{"pack", "matmul"}},
		{"broadcast", `(x f32[N,1,5,7], z f32[3,7,6]) -> (y) { y = MatMul(x, z) }`, []string{"pack", "matmul"}},
		{"matrices", `(x f32[5,N], z f32[N,6]) -> (y) { y = MatMul(x, z) }`, []string{"pack", "matmul"}},
		{"one row", `(x f32[N,1,7], z f32[N,7,1]) -> (y) { y = MatMul(x, z) }`, []string{"pack", "matmul"}},
		{"attention", `(q f32[N,6,8], k f32[N,6,8], v f32[N,6,8]) -> (y) {
			const s = i64[4]{0,0,2,4}
			const s2 = i64[3]{0,0,8}
			const d = f32[]{2.0}
			q1 = Reshape(q, s)
			k1 = Reshape(k, s)
			v1 = Reshape(v, s)
			q2 = Transpose(q1) {perm=[0,2,1,3]}
			k2 = Transpose(k1) {perm=[0,2,3,1]}
			v2 = Transpose(v1) {perm=[0,2,1,3]}
			a = MatMul(q2, k2)
			b = Div(a, d)
			c = Softmax(b)
			e = MatMul(c, v2)
			f = Transpose(e) {perm=[0,2,1,3]}
			y = Reshape(f, s2) }`, []string{"attention"}},
	})
}

func TestNorm(t *testing.T) {
	check(t, []rowCase{
		{"softmax", `(x f32[N,3,7]) -> (y) { y = Softmax(x) }`, []string{"softmax"}},
		{"softmax of channels", `(x f32[N,3,5,5]) -> (y) { y = Softmax(x) {axis=1} }`, nil},
		{"layer norm", `(x f32[N,3,7]) -> (y) { const w = f32[7]{*0.0}
			const wb = f32[7]{*0.0}
			y = LayerNormalization(x, w, wb) {axis=-1} }`, []string{"layernorm"}},
		{"layer norm of two axes", `(x f32[N,3,7]) -> (y) { const w = f32[3,7]{*0.0}
			y = LayerNormalization(x, w) {axis=1, epsilon=0.1} }`, []string{"layernorm"}},
		{"batch norm", `(x f32[N,3,4,4]) -> (y) { const w = f32[3]{*0.0}
			const wb = f32[3]{*0.0}
			const wm = f32[3]{*0.0}
			const v = f32[3]{*0.5}
			a = BatchNormalization(x, w, wb, wm, v)
			const w1 = f32[1,3,1,1]{*0.0}
			b = Mul(a, w1)
			y = Relu(b) }`, []string{"scale channels"}},
		{"instance norm", `(x f32[N,3,4,5]) -> (y) { const w = f32[3]{*0.0}
			const wb = f32[3]{*0.0}
			y = InstanceNormalization(x, w, wb) }`, []string{"groupnorm"}},
		{"group norm", `(x f32[N,6,4,5]) -> (y) { const w = f32[2]{*0.0}
			const wb = f32[2]{*0.0}
			y = GroupNormalization(x, w, wb) {num_groups=2, epsilon=0.1} }`, []string{"groupnorm"}},
		{"batch norm of rows", `(x f32[N,3]) -> (y) { const w = f32[3]{*0.0}
			const v = f32[3]{*0.5}
			y = BatchNormalization(x, w, w, w, v) }`, []string{"scale channels"}},
		{"batch norm between convolutions", `(x f32[N,2,6,6]) -> (a, y) { const w = f32[3,2,3,3]{*0.0}
			const w2 = f32[3,3,1,1]{*0.0}
			const wb = f32[3]{*0.0}
			const v = f32[3]{*0.5}
			a = Conv(x, w)
			b = BatchNormalization(a, wb, wb, wb, v)
			c = Relu(b)
			y = Conv(c, w2) }`, nil},
	})
}

func TestPool(t *testing.T) {
	check(t, []rowCase{
		{"max", `(x f32[N,5,9,8]) -> (y) { y = MaxPool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]} }`, nil},
		{"max ceil dilated", `(x f32[N,5,9,8]) -> (y) { y = MaxPool(x) {kernel_shape=[2,3], strides=[2,2], ceil_mode=1, dilations=[2,1]} }`, nil},
		{"max one axis", `(x f32[N,5,9]) -> (y) { y = MaxPool(x) {kernel_shape=[2], strides=[2], auto_pad="SAME_UPPER"} }`, nil},
		{"average", `(x f32[N,5,9,8]) -> (y) { y = AveragePool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]} }`, nil},
		{"average with padding", `(x f32[N,5,9,8]) -> (y) { y = AveragePool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], count_include_pad=1, ceil_mode=1} }`, nil},
		{"global", `(x f32[N,5,9,8]) -> (y, z) { y = GlobalAveragePool(x)
			z = GlobalMaxPool(x) }`, []string{"mean", "max"}},
		{"global behind a convolution", `(x f32[N,5,9,8]) -> (y, z, u) { const w = f32[3,5,1,1]{*0.0}
			const a = i64[2]{2,3}
			c = Conv(x, w)
			y = GlobalAveragePool(c)
			z = GlobalMaxPool(c)
			u = ReduceMean(c, a) {keepdims=0} }`, []string{"to channels last", "conv 1x1", "mean", "max", "mean"}},
		{"reduce", `(x f32[N,5,9,8]) -> (y, z, u) {
			const a = i64[1]{-1}
			const c = i64[2]{1,2}
			y = ReduceMean(x, a)
			z = ReduceSum(x, c) {keepdims=0}
			u = ReduceMax(x) }`, []string{"mean", "sum", "max"}},
	})
}

func TestJoin(t *testing.T) {
	check(t, []rowCase{
		{"concat", `(x f32[N,3,4], z f32[N,2,4]) -> (y) { y = Concat(x, z, x) {axis=1} }`, nil},
		{"concat last axis", `(x f32[N,3,4], z f32[N,3,2]) -> (y) { y = Concat(x, z) {axis=-1} }`, nil},
		{"concat transposed", `(x f32[N,3,4], z f32[N,2,3]) -> (y) { a = Transpose(x) {perm=[0,2,1]}
			y = Concat(a, z) {axis=1} }`, nil},
		{"concat channels", `(x f32[N,3,4,4], z f32[N,2,4,4]) -> (y) { const w = f32[5,3,1,1]{*0.0}
			const w2 = f32[5,10,3,3]{*0.0}
			a = Conv(x, w)
			b = Concat(a, z, x) {axis=1}
			y = Conv(b, w2) }`, nil},
		{"dense block", `(x f32[N,3,6,6]) -> (y, z) { const w = f32[4,3,1,1]{*0.0}
			const w1 = f32[3,4,3,3]{*0.0}
			const w2 = f32[2,7,3,3]{*0.0}
			const w3 = f32[5,9,1,1]{*0.0}
			a = Conv(x, w)
			b = Conv(a, w1) {pads=[1,1,1,1]}
			c = Concat(a, b) {axis=1}
			r = Relu(c)
			d = Conv(r, w2) {pads=[1,1,1,1]}
			e = Concat(a, b, d) {axis=1}
			y = Conv(e, w3)
			z = Sigmoid(b) }`, []string{"to channels last", "conv 1x1", "conv 3x3", "clamp", "conv 3x3", "conv 1x1", "sigmoid", "to channels first", "to channels first"}},
		{"joined twice", `(x f32[N,3,6,6]) -> (y) { const w = f32[4,3,1,1]{*0.0}
			const w1 = f32[4,11,3,3]{*0.0}
			a = Conv(x, w)
			b = Relu(x)
			c = Concat(a, b, a) {axis=1}
			d = Conv(c, w1) {pads=[1,1,1,1]}
			e = Add(d, a)
			f = Concat(e, d) {axis=1}
			y = Relu(f) }`, nil},
		{"pad", `(x f32[N,3,4,4]) -> (y) { const p = i64[8]{0,1,2,0,1,0,0,3}
			const v = f32[]{1.5}
			y = Pad(x, p, v) }`, []string{"fill", "pad"}},
		{"pad behind a convolution", `(x f32[N,3,4,4]) -> (y) { const p = i64[2]{1,2}
			const a = i64[1]{-1}
			const w = f32[5,3,1,1]{*0.0}
			c = Conv(x, w)
			d = Pad(c, p, _, a)
			y = Relu(d) }`, nil},
		{"pad before a convolution", `(x f32[N,3,4,4]) -> (y) { const p = i64[8]{0,0,0,1,0,0,1,2}
			const w = f32[5,3,3,3]{*0.0}
			d = Pad(x, p)
			y = Conv(d, w) {pads=[1,0,0,1]} }`, []string{"to channels last", "conv 3x3", "to channels first"}},
		{"depth to space", `(x f32[N,12,3,2]) -> (y, z) { y = DepthToSpace(x) {blocksize=2}
			const w = f32[12,12,1,1]{*0.0}
			c = Conv(x, w)
			z = DepthToSpace(c) {blocksize=2, mode="CRD"} }`, nil},
		{"space to depth", `(x f32[N,3,4,6]) -> (y) { y = SpaceToDepth(x) {blocksize=2} }`, nil},
	})
}
