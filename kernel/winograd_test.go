package kernel_test

import (
	"fmt"
	"math"
	"testing"

	"pare/internal/guard"
	"pare/kernel"
)

// winogradCases leave rests of tiles, of panels and of registers, and reach
// over the padding on every side.
var winogradCases = []kernel.ConvShape{
	{N: 1, H: 8, W: 8, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 32},
	{N: 2, H: 7, W: 9, C: 24, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 56},
	{N: 3, H: 10, W: 6, C: 8, KH: 3, KW: 3, O: 8},
	{N: 1, H: 5, W: 6, C: 16, KH: 3, KW: 3, PadT: 0, PadL: 3, PadB: 4, PadR: 1, O: 16},
	{N: 1, H: 1, W: 2, C: 8, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 40},
	{N: 2, H: 9, W: 7, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 24, SrcStride: 19, DstStride: 40, ResStride: 25},
	{N: 1, H: 14, W: 13, C: 264, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 136},
	{N: 1, H: 40, W: 36, C: 40, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 48},
	{N: 1, H: 4, W: 4, C: 8, KH: 3, KW: 3, PadT: 5, PadL: 5, PadB: 5, PadR: 5, O: 8},
}

func TestWinograd(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for i, s := range winogradCases {
			for _, m := range []int{2, 4} {
				t.Run(fmt.Sprint(i, " by ", m), func(t *testing.T) { testWinograd(t, s, m) })
			}
		}
	})
}

func testWinograd(t *testing.T, s kernel.ConvShape, m int) {
	r := random(1)
	full := defaults(s)
	pixels := s.N * s.OH() * s.OW()
	src := floats(t, r, extent(s.N*s.H*s.W, s.C, full.SrcStride))
	w := floats(t, r, s.O*s.C*9)
	bias := floats(t, r, s.O)
	res := floats(t, r, extent(pixels, s.O, full.ResStride))
	sums := convRef(full, src, w)
	weights, conv := planWinograd(t, s, m, w)
	scratch := guard.Tail[float32](t, conv.ScratchFloats())
	for i := range scratch {
		scratch[i] = float32(math.NaN())
	}
	k := 4 * s.C * 9 // whose root is twice the direct form's
	for name, ep := range map[string]kernel.Epilogue{
		"plain": {}, "bias": {Bias: bias}, "residual": {Residual: res},
		"all": {Bias: bias, Residual: res, Lo: -0.5, Hi: 0.75}, "relu": kernel.Relu(bias),
	} {
		dst := guard.Tail[float32](t, extent(pixels, s.O, full.DstStride))
		for i := range dst {
			dst[i] = 99
		}
		for task := conv.Tasks() - 1; task >= 0; task-- {
			conv.Run(task, dst, src, weights, &ep, scratch)
		}
		checkPixels(t, name, dst, sums, &ep, k, s.O, full.DstStride, full.ResStride)
	}
	// The residual may be the destination itself.
	if full.DstStride == full.ResStride {
		dst := guard.Tail[float32](t, len(res))
		copy(dst, res)
		ep := kernel.Epilogue{Bias: bias, Residual: dst}
		for task := range conv.Tasks() {
			conv.Run(task, dst, src, weights, &ep, scratch)
		}
		ep.Residual = res
		checkPixels(t, "in place", dst, sums, &ep, k, s.O, full.DstStride, full.ResStride)
	}
}

func planWinograd(t testing.TB, s kernel.ConvShape, m int, w []float32) (*kernel.WinogradWeights, *kernel.Winograd) {
	t.Helper()
	weights, err := kernel.PackWinograd(s, m, w)
	if err != nil {
		t.Fatal(err)
	}
	conv, err := kernel.NewWinograd(s, m)
	if err != nil {
		t.Fatal(err)
	}
	return weights, conv
}
