package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/kernel"
)

// BenchmarkIntConv times integer layers with weights of eight to four bits, spread
// as trained ones are. Shares of peak are of exact products of full range: narrow
// weights may pass it.
func BenchmarkIntConv(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, largest := range []int8{127, 63, 31, 7} {
			for _, s := range convLayers {
				name := fmt.Sprintf("max%d/%dx%d,%d->%d,%dx%ds%d", largest, s.H, s.W, s.C, s.O, s.KH, s.KW, s.StrideH)
				b.Run(name, func(b *testing.B) { benchIntConv(b, s, largest) })
			}
		}
	})
}

func benchIntConv(b *testing.B, s kernel.ConvShape, largest int8) {
	src, w := make([]uint8, s.H*s.W*s.C), make([]int8, s.O*s.C/max(1, s.Groups)*s.KH*s.KW)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range w {
		x := math.Round(r.NormFloat64() * float64(largest) / 3.5)
		w[i] = int8(min(max(x, -float64(largest)), float64(largest)))
	}
	for i := range src {
		src[i] = uint8(r.IntN(256))
	}
	dst := make([]uint8, s.OH()*s.OW()*s.O)
	weights, err := kernel.PackIntConv(s, w, 0)
	if err != nil {
		b.Fatal(err)
	}
	conv, err := kernel.NewIntConv(s, weights)
	if err != nil {
		b.Fatal(err)
	}
	scratch := make([]uint8, conv.ScratchBytes())
	ep := kernel.IntEpilogue{Mul: make([]float32, s.O), Add: make([]float32, s.O)}
	paceBy(b, kernel.IntPeak, s.Flops(), 0, func() {
		for task := range conv.Tasks() {
			conv.Run(task, dst, src, &ep, scratch)
		}
	})
}

// BenchmarkIntDepthwise times depthwise layers of mobile networks.
func BenchmarkIntDepthwise(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range []kernel.ConvShape{
			{H: 112, C: 32, KH: 3, StrideH: 1}, {H: 112, C: 96, KH: 3, StrideH: 2}, {H: 56, C: 144, KH: 3, StrideH: 1},
			{H: 14, C: 576, KH: 3, StrideH: 1}, {H: 7, C: 960, KH: 3, StrideH: 1},
			{H: 28, C: 240, KH: 5, StrideH: 1}, {H: 56, C: 72, KH: 5, StrideH: 2}, {H: 14, C: 672, KH: 5, StrideH: 1},
		} {
			pad := s.KH / 2
			s.N, s.W, s.KW, s.StrideW, s.O, s.Groups = 1, s.H, s.KH, s.StrideH, s.C, s.C
			s.PadT, s.PadL, s.PadB, s.PadR = pad, pad, pad, pad
			b.Run(fmt.Sprintf("%dx%d,%d,%dx%ds%d", s.H, s.W, s.C, s.KH, s.KW, s.StrideH), func(b *testing.B) { benchIntConv(b, s, 127) })
		}
	})
}

// BenchmarkIntFinish times pointwise layers of few channels, where what happens to
// sums counts most: plain, with a residual, and with a grid between besides.
func BenchmarkIntFinish(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range []kernel.ConvShape{
			same(14, 256, 1, 1, 1024), same(14, 1024, 1, 1, 256), same(28, 128, 1, 1, 512),
			same(56, 64, 1, 1, 256), same(56, 64, 1, 1, 64), same(7, 512, 1, 1, 2048),
		} {
			for _, tail := range []string{"plain", "residual", "mid"} {
				b.Run(fmt.Sprintf("%dx%d,%d->%d,%s", s.H, s.W, s.C, s.O, tail), func(b *testing.B) { benchIntFinish(b, s, tail) })
			}
		}
	})
}

func benchIntFinish(b *testing.B, s kernel.ConvShape, tail string) {
	src, w := make([]uint8, s.H*s.W*s.C), make([]int8, s.O*s.C)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range w {
		w[i] = int8(min(max(r.NormFloat64()*36, -127), 127))
	}
	weights, err := kernel.PackIntConv(s, w, 0)
	if err != nil {
		b.Fatal(err)
	}
	conv, err := kernel.NewIntConv(s, weights)
	if err != nil {
		b.Fatal(err)
	}
	ep := kernel.IntEpilogue{Mul: make([]float32, s.O), Add: make([]float32, s.O), Lo: 0, Hi: 100}
	dst, scratch := make([]uint8, s.OH()*s.OW()*s.O), make([]uint8, conv.ScratchBytes())
	if tail != "plain" {
		ep.Residual, ep.ResMul = make([]uint8, len(dst)), 0.5
	}
	if tail == "mid" {
		ep.Mid = &kernel.Mid{Lo: -128, Hi: 127, Mul: 0.3, Shift: 7}
	}
	paceBy(b, kernel.IntPeak, s.Flops(), 0, func() {
		for task := range conv.Tasks() {
			conv.Run(task, dst, src, &ep, scratch)
		}
	})
}
