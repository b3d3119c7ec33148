package engine_test

import (
	"math"
	"slices"
	"testing"

	"pare/internal/cpu"
	"pare/tensor"
)

// TestDynamic: products of codes on grids that a run finds.
func TestDynamic(t *testing.T) {
	for _, c := range []struct {
		name, body string
		kernels    []string
	}{
		{"two products of rows", `(x f32[N,4,33]) -> (y) {
			const q1 = i8[33,18]{*0}
			const q2 = u8[33,18]{*0}
			const z2 = u8[18]{*128}
			const s1 = f32[]{0.01}
			const s2 = f32[18]{*0.02}
			const wb = f32[18]{*0.0}
			const wc = f32[18]{*0.0}
			k, s, z = DynamicQuantizeLinear(x)
			a = MatMulInteger(k, q1, z)
			a1 = Cast(a) {to=1}
			a2 = Mul(s, s1)
			a3 = Mul(a1, a2)
			a4 = Add(wb, a3)
			b = MatMulInteger(k, q2, z, z2)
			b1 = Cast(b) {to=1}
			b2 = Mul(s, s2)
			b3 = Mul(b1, b2)
			c = com.microsoft::DynamicQuantizeMatMul(x, q2, s2, z2, wc)
			p = Mul(a4, b3)
			y = Add(p, c)
		}`, []string{"range", "quantize", "scales", "int8 matmul dynamic", "scales", "int8 matmul dynamic",
			"range", "quantize", "scales", "int8 matmul dynamic", "mul", "add"}},
		{"convolutions", `(x f32[N,6,9,7]) -> (y) {
			const q1 = i8[12,6,3,3]{*0}
			const q2 = i8[12,1,3,3]{*0}
			const s1 = f32[]{0.01}
			const wb = f32[1,12,1,1]{*0.0}
			k, s, z = DynamicQuantizeLinear(x)
			a = ConvInteger(k, q1, z) {pads=[1,1,1,1], strides=[2,1]}
			a1 = Cast(a) {to=1}
			a2 = Mul(s, s1)
			a3 = Mul(a1, a2)
			a4 = Add(a3, wb)
			l, t, u = DynamicQuantizeLinear(a4)
			b = ConvInteger(l, q2, u) {pads=[1,1,1,1], group=12}
			b1 = Cast(b) {to=1}
			b2 = Mul(t, s1)
			y = Mul(b2, b1)
		}`, []string{"to channels last", "range", "quantize", "scales", "int8 conv 3x3 dynamic",
			"range", "quantize", "scales", "int8 conv 3x3 dynamic", "to channels first"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= 3; size += 2 {
				m := model(t, c.body)
				m.SetOpset("com.microsoft", 1)
				fillConsts(m)
				fillCodes(m)
				in := inputsOf(m, size)
				want := tensor.Float64s(byReference(t, m, in)["y"])
				for i, level := range cpu.Levels() {
					y, kernels := onLevel(t, m, in, level, 1+i%2)
					if !slices.Equal(kernels, c.kernels) {
						t.Errorf("computed by %q, want %q", kernels, c.kernels)
					}
					top := slices.Max(want)
					for i, got := range tensor.Float64s(y) {
						if math.Abs(got-want[i]) > 2e-5*top {
							t.Fatalf("%s: element %d is %v, want %v", level, i, got, want[i])
						}
					}
				}
			}
		})
	}
}
