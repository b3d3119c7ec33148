package engine_test

import (
	"math"
	"slices"
	"testing"

	"pare/internal/cpu"
	"pare/tensor"
)

// TestQLinear: operators on codes run on integer steps.
func TestQLinear(t *testing.T) {
	for _, c := range []struct {
		name, body string
		kernels    []string
	}{
		{"convolutions and a sum", `(x u8[N,5,9,7]) -> (y) {
			const xs = f32[1]{0.02}
			const xz = u8[1]{117}
			const q = i8[6,5,3,3]{*0}
			const q2 = i8[6,6,1,1]{*0}
			const cs = f32[6]{0.011, 0.02, 0.005, 0.013, 0.004, 0.01}
			const cz = i8[6]{*0}
			const bias = i32[6]{100, -2000, 300, 77, 0, 9000}
			const ys = f32[]{0.15}
			const yz = u8[]{130}
			a = QLinearConv(x, xs, xz, q, cs, cz, ys, yz, bias) {pads=[1,1,1,1], strides=[2,1]}
			b = QLinearConv(a, ys, yz, q2, cs, cz, ys, yz)
			c = com.microsoft::QLinearAdd(a, ys, yz, b, ys, yz, ys, yz)
			y = DequantizeLinear(c, ys, yz)
		}`, []string{"codes", "int8 conv 3x3", "int8 conv 1x1", "dequantize", "to channels first"}},
		{"product of signed codes", `(x i8[N,9]) -> (y) {
			const xs = f32[]{0.02}
			const xz = i8[]{-17}
			const q = i8[9,6]{*0}
			const cs = f32[6]{0.011, 0.02, 0.005, 0.013, 0.004, 0.01}
			const cz = i8[6]{*0}
			const ys = f32[]{0.05}
			const yz = i8[]{3}
			a = QLinearMatMul(x, xs, xz, q, cs, cz, ys, yz)
			y = DequantizeLinear(a, ys, yz)
		}`, []string{"codes", "int8 matmul", "dequantize"}},
		{"a gate, pools and a joint", `(x u8[N,5,9,7]) -> (y) {
			const xs = f32[]{0.02}
			const xz = u8[]{117}
			const q = i8[6,5,3,3]{*0}
			const q2 = i8[6,6,1,1]{*0}
			const q3 = i8[13,12]{*0}
			const cs = f32[6]{0.011, 0.02, 0.005, 0.013, 0.004, 0.01}
			const cz = i8[6]{*0}
			const gs = f32[]{0.01}
			const gz = i8[]{0}
			const bias = i32[13]{100, -2000, 300, 77, 0, 9000, 1, 2, 3, 4, 5, 6, 7}
			const as = f32[]{0.15}
			const az = u8[]{130}
			const bs = f32[]{0.004}
			const bz = u8[]{0}
			const ys = f32[]{2.5}
			const yz = u8[]{100}
			a = QLinearConv(x, xs, xz, q, cs, cz, as, az)
			l = com.microsoft::QLinearLeakyRelu(a, as, az, as, az) {alpha=0.13}
			p = com.microsoft::QLinearAveragePool(l, as, az, as, az) {kernel_shape=[3,3], strides=[2,2], channels_last=0}
			t = MaxPool(p) {kernel_shape=[2,2]}
			g = com.microsoft::QLinearGlobalAveragePool(t, as, az, as, az) {channels_last=0}
			h = QLinearConv(g, as, az, q2, cs, cz, as, az)
			s = com.microsoft::QLinearSigmoid(h, as, az, bs, bz)
			m = com.microsoft::QLinearMul(s, bs, bz, p, as, az, bs, az)
			j = com.microsoft::QLinearConcat(as, az, m, bs, az, p, as, az) {axis=1}
			k = com.microsoft::QLinearGlobalAveragePool(j, as, az, as, az)
			f = Flatten(k)
			c = com.microsoft::QGemm(f, as, az, q3, gs, gz, bias, ys, yz) {transB=1}
			y = DequantizeLinear(c, ys, yz)
		}`, []string{"codes", "int8 conv 3x3 map", "dequantize", "avgpool 3x3", "quantize", "int8 maxpool 2x2", "int8 mean", "quantize",
			"int8 conv 1x1 map", "dequantize", "int8 gate", "int8 map", "int8 concat", "int8 concat", "int8 mean",
			"quantize", "int8 gemm", "dequantize"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := model(t, c.body)
			m.SetOpset("com.microsoft", 1)
			fillCodes(m)
			in := inputsOf(m, 2)
			for name, x := range in {
				codes := make([]byte, x.Len())
				for i := range codes {
					codes[i] = byte(i * 37)
				}
				in[name] = tensor.FromCodes(x.Type, x.Shape, codes)
			}
			y, kernels := onLevel(t, m, in, cpu.Level(), 2)
			if !slices.Equal(kernels, c.kernels) {
				t.Errorf("computed by %q, want %q", kernels, c.kernels)
			}
			step := tensor.Float64s(m.Graph.Value("ys").Const)[0]
			differ := 0
			want := tensor.Float64s(byReference(t, m, in)["y"])
			for i, got := range tensor.Float64s(y) {
				d := math.Abs(got-want[i]) / step
				if d > 2.001 {
					t.Fatalf("element %d is %v, want %v", i, got, want[i])
				}
				if d > 0.001 {
					differ++
				}
			}
			if differ > 1+len(want)/100 {
				t.Errorf("%d of %d codes differ", differ, len(want))
			}
		})
	}
}
