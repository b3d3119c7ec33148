package kernel_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pare/internal/cpu"
	"pare/kernel"
)

// pace times f in turns with the register-only peak, so that both meet the
// same clock and neighbours, and reports the best of each.
func pace(b *testing.B, flops, bytes float64, f func()) {
	paceBy(b, kernel.Peak, flops, bytes, f)
}

// paceBy is pace with another peak.
func paceBy(b *testing.B, peakOf func(time.Duration) float64, flops, bytes float64, f func()) {
	best, peak := math.Inf(1), 0.0
	f()
	for b.Loop() {
		peak = max(peak, peakOf(20*time.Microsecond))
		t := time.Now()
		f()
		best = min(best, time.Since(t).Seconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(best*1e6, "best-µs")
	if flops > 0 {
		b.ReportMetric(flops/best/1e9, "GFLOP/s")
		b.ReportMetric(100*flops/best/peak, "%peak")
	}
	if bytes > 0 {
		b.ReportMetric(bytes/best/1e9, "GB/s")
	}
}

// eachBenchLevel runs a benchmark for both kinds of machine.
func eachBenchLevel(b *testing.B, f func(b *testing.B)) {
	for _, level := range cpu.Levels() {
		b.Run(level, func(b *testing.B) {
			restore, full := cpu.Cap(level)
			defer restore()
			if !full {
				b.Skipf("this machine has no %s", level)
			}
			f(b)
		})
	}
}

func same(h, c, k, stride, o int) kernel.ConvShape {
	p := k / 2
	return kernel.ConvShape{N: 1, H: h, W: h, C: c, KH: k, KW: k, StrideH: stride, StrideW: stride,
		PadT: p, PadL: p, PadB: p, PadR: p, O: o}
}

// convLayers are the layer shapes of ResNet-50, ResNet-20 for CIFAR, MobileNetV2
// and some first layers.
var convLayers = []kernel.ConvShape{
	same(56, 64, 3, 1, 64),
	same(224, 3, 7, 2, 64),
	same(56, 64, 1, 1, 64),
	same(56, 64, 1, 1, 256),
	same(56, 256, 1, 1, 64),
	same(56, 256, 1, 1, 128),
	same(56, 128, 3, 2, 128),
	same(28, 128, 3, 1, 128),
	same(28, 128, 1, 1, 512),
	same(28, 512, 1, 1, 128),
	same(56, 256, 1, 2, 512),
	same(28, 256, 3, 2, 256),
	same(14, 256, 3, 1, 256),
	same(14, 256, 1, 1, 1024),
	same(14, 1024, 1, 1, 256),
	same(28, 512, 1, 2, 1024),
	same(14, 512, 3, 2, 512),
	same(7, 512, 3, 1, 512),
	same(7, 512, 1, 1, 2048),
	same(7, 2048, 1, 1, 512),
	same(14, 1024, 1, 2, 2048),
	same(224, 3, 3, 2, 32),
	same(32, 3, 3, 1, 16),
	same(32, 16, 3, 1, 16),
	same(32, 16, 3, 2, 32),
	same(16, 32, 3, 1, 32),
	same(8, 64, 3, 1, 64),
	same(16, 32, 3, 2, 64),
	same(32, 16, 1, 2, 32),
	same(112, 32, 1, 1, 16),
	same(112, 16, 1, 1, 96),
	same(56, 96, 1, 1, 24),
	same(56, 24, 1, 1, 144),
	same(56, 144, 1, 1, 24),
	same(28, 144, 1, 1, 32),
	same(28, 32, 1, 1, 192),
	same(28, 192, 1, 1, 32),
	same(14, 192, 1, 1, 64),
	same(14, 64, 1, 1, 384),
	same(14, 384, 1, 1, 64),
	same(14, 384, 1, 1, 96),
	same(14, 96, 1, 1, 576),
	same(14, 576, 1, 1, 96),
	same(7, 576, 1, 1, 160),
	same(7, 160, 1, 1, 960),
	same(7, 960, 1, 1, 160),
	same(7, 960, 1, 1, 320),
	same(7, 320, 1, 1, 1280),
}

func BenchmarkConv(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range convLayers {
			b.Run(fmt.Sprintf("%dx%d,%d->%d,%dx%ds%d", s.H, s.W, s.C, s.O, s.KH, s.KW, s.StrideH), func(b *testing.B) {
				src, w := make([]float32, s.H*s.W*s.C), make([]float32, s.O*s.C*s.KH*s.KW)
				bias, dst := make([]float32, s.O), make([]float32, s.OH()*s.OW()*s.O)
				weights, err := kernel.PackConv(s, w)
				if err != nil {
					b.Fatal(err)
				}
				conv, err := kernel.NewConv(s)
				if err != nil {
					b.Fatal(err)
				}
				scratch := make([]float32, conv.ScratchFloats())
				ep := kernel.Relu(bias)
				pace(b, s.Flops(), 0, func() {
					for task := range conv.Tasks() {
						conv.Run(task, dst, src, weights, &ep, scratch)
					}
				})
			})
		}
	})
}

func BenchmarkGemm(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range []kernel.GemmShape{{M: 256, N: 256, K: 256}, {M: 512, N: 512, K: 512}, {M: 1024, N: 1024, K: 1024},
			{M: 197, N: 768, K: 192}, {M: 1, N: 1000, K: 2048}, {M: 1, N: 4096, K: 4096}, {M: 4, N: 4096, K: 4096}} {
			x, y, z := make([]float32, s.M*s.K), make([]float32, s.K*s.N), make([]float32, s.M*s.N)
			g, err := kernel.NewGemm(s)
			if err != nil {
				b.Fatal(err)
			}
			scratch := make([]float32, g.ScratchFloats())
			flops := 2 * float64(s.M) * float64(s.N) * float64(s.K)
			bytes := 0.0
			if s.M < 16 {
				bytes = 4 * float64(s.K) * float64(s.N)
			}
			panels, err := kernel.PackB(s.K, s.N, kernel.Source{Data: y, LD: s.N})
			if err != nil {
				b.Fatal(err)
			}
			for _, packed := range []bool{true, false} {
				if !packed && s.M < 100 {
					continue
				}
				b.Run(fmt.Sprintf("%dx%dx%d,packed=%v", s.M, s.N, s.K, packed), func(b *testing.B) {
					pace(b, flops, bytes, func() {
						if !packed {
							panels.Pack(kernel.Source{Data: y, LD: s.N})
						}
						for task := range g.Tasks() {
							g.Run(task, z, x, panels, &kernel.Epilogue{}, scratch)
						}
					})
				})
			}
		}
	})
}
