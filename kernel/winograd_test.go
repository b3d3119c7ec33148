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
	{N: 1, H: 8, W: 7, C: 72, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 264},
	{N: 1, H: 3, W: 4, C: 520, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 8},
	{N: 1, H: 40, W: 36, C: 16, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 16},
	{N: 1, H: 4, W: 4, C: 8, KH: 3, KW: 3, PadT: 5, PadL: 5, PadB: 5, PadR: 5, O: 8},
	{N: 1, H: 9, W: 10, C: 45, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 37},
	{N: 2, H: 8, W: 5, C: 23, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 99, SrcStride: 30, DstStride: 101, ResStride: 99},
	{N: 1, H: 6, W: 7, C: 3, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 5},
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
		"all": {Bias: bias, Residual: res, Lo: -0.5, Hi: 0.75}, "relu": kernel.Relu(bias), "silu": {Bias: bias, Act: kernel.SiLU.Run},
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

// TestWinogradError holds the error that the comment of Winograd states, beside
// that of the direct form, on rectified normal values.
func TestWinogradError(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, c := range []int{16, 64, 512} {
			s := kernel.ConvShape{N: 1, H: 8, W: 8, C: c, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1, O: 16}
			r := random(uint64(c))
			src, w := make([]float32, 64*c), make([]float32, 16*c*9)
			for i := range src {
				src[i] = float32(math.Max(0, r.NormFloat64()))
			}
			for i := range w {
				w[i] = float32(r.NormFloat64())
			}
			want := convRef(defaults(s), src, w)
			direct := relativeError(direct(t, s, src, w), want)
			for m, bound := range map[int]float64{2: 1e-6, 4: 2e-6} {
				got := relativeError(byWinograd(t, s, m, src, w), want)
				t.Logf("%d channels, tiles of %d: %.2g, direct %.2g", c, m, got, direct)
				if !(got <= bound) {
					t.Errorf("%d channels, tiles of %d: error %.2g, want at most %.2g", c, m, got, bound)
				}
			}
		}
	})
}

// relativeError is the root mean square of the errors over that of the values.
func relativeError(got []float32, want []float64) float64 {
	var e, v float64
	for i, w := range want {
		e += (float64(got[i]) - w) * (float64(got[i]) - w)
		v += w * w
	}
	return math.Sqrt(e / v)
}

func direct(t *testing.T, s kernel.ConvShape, src, w []float32) []float32 {
	t.Helper()
	weights, err := kernel.PackConv(s, w)
	if err != nil {
		t.Fatal(err)
	}
	conv, err := kernel.NewConv(s)
	if err != nil {
		t.Fatal(err)
	}
	dst, scratch := make([]float32, s.N*s.OH()*s.OW()*s.O), make([]float32, conv.ScratchFloats())
	for task := range conv.Tasks() {
		conv.Run(task, dst, src, weights, &kernel.Epilogue{}, scratch)
	}
	return dst
}

func byWinograd(t *testing.T, s kernel.ConvShape, m int, src, w []float32) []float32 {
	t.Helper()
	weights, conv := planWinograd(t, s, m, w)
	dst, scratch := make([]float32, s.N*s.OH()*s.OW()*s.O), make([]float32, conv.ScratchFloats())
	for task := range conv.Tasks() {
		conv.Run(task, dst, src, weights, &kernel.Epilogue{}, scratch)
	}
	return dst
}

func TestWinogradRefuses(t *testing.T) {
	good := kernel.ConvShape{N: 1, H: 8, W: 8, C: 16, KH: 3, KW: 3, O: 16}
	for name, change := range map[string]func(s *kernel.ConvShape){
		"another filter": func(s *kernel.ConvShape) { s.KW = 5 },
		"stride":         func(s *kernel.ConvShape) { s.StrideW = 2 },
		"dilation":       func(s *kernel.ConvShape) { s.DilH = 2 },
		"groups":         func(s *kernel.ConvShape) { s.Groups = 2 },
		"nonsense":       func(s *kernel.ConvShape) { s.PadL = -1 },
	} {
		s := good
		change(&s)
		if _, err := kernel.NewWinograd(s, 4); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if m := kernel.WinogradTile(s); m != 0 {
			t.Errorf("%s: tiles of %d", name, m)
		}
	}
	if _, err := kernel.NewWinograd(good, 3); err == nil {
		t.Error("tiles of 3 are accepted")
	}
	if _, err := kernel.PackWinograd(good, 4, make([]float32, 9)); err == nil {
		t.Error("weights of the wrong size are accepted")
	}
}

// TestWinogradTile: large tiles where there are many, small ones where the
// weights outweigh them, none where transforms cost more than they save.
func TestWinogradTile(t *testing.T) {
	for _, c := range []struct{ size, in, out, want int }{
		{56, 64, 64, 4}, {14, 256, 256, 4}, {7, 512, 512, 2}, {8, 64, 64, 2}, {32, 16, 16, 4},
		{28, 128, 32, 4}, {7, 128, 32, 2}, {1, 512, 512, 0}, {56, 8, 8, 0}, {0, 64, 64, 0},
	} {
		if got := kernel.WinogradTile(same(c.size, c.in, 3, 1, c.out)); got != c.want {
			t.Errorf("%+v: tiles of %d", c, got)
		}
	}
}
