//go:build unix

package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pare/internal/stat"
	"pare/kernel"
)

// splitLayers are layers of ResNet-20 for CIFAR, of ResNet-18 and 50 with their
// strides, and of filters larger than 3x3.
var splitLayers = []kernel.ConvShape{
	same(32, 16, 3, 1, 16),
	same(16, 32, 3, 1, 32),
	same(8, 64, 3, 1, 64),
	same(56, 64, 3, 1, 64),
	same(28, 128, 3, 1, 128),
	same(14, 256, 3, 1, 256),
	same(7, 512, 3, 1, 512),
	same(32, 16, 3, 2, 32),
	same(56, 128, 3, 2, 128),
	same(28, 256, 3, 2, 256),
	same(14, 512, 3, 2, 512),
	same(28, 64, 5, 1, 64),
	same(14, 128, 7, 1, 128),
}

// sparseLayers are layers of ResNet-50 and MobileNetV2, and one of larger filters.
var sparseLayers = []kernel.ConvShape{
	same(56, 64, 1, 1, 256),
	same(28, 512, 1, 1, 128),
	same(14, 256, 1, 1, 1024),
	same(14, 1024, 1, 1, 256),
	same(7, 512, 1, 1, 2048),
	same(56, 256, 1, 2, 512),
	same(56, 24, 1, 1, 144),
	same(28, 192, 1, 1, 32),
	same(14, 96, 1, 1, 576),
	same(7, 960, 1, 1, 160),
	same(56, 64, 3, 1, 64),
	same(14, 256, 3, 1, 256),
	same(56, 128, 3, 2, 128),
	same(14, 512, 3, 2, 512),
	same(224, 3, 7, 2, 64),
	same(28, 64, 5, 1, 64),
}

// alike makes filters with n kernels for every channel, of which a share of the
// slices is zero.
func alike(s kernel.ConvShape, n int, zeros float64) *kernel.SplitFilters {
	r := rand.New(rand.NewPCG(1, 2))
	f := &kernel.SplitFilters{Kernels: make([]float32, n*s.C*s.KH*s.KW), Terms: make([][]kernel.SplitTerm, s.O)}
	for i := range f.Kernels {
		f.Kernels[i] = 2*r.Float32() - 1
	}
	for c := range s.C {
		for range n {
			f.Channel = append(f.Channel, c)
		}
		for o := range s.O {
			if r.Float64() >= zeros {
				f.Terms[o] = append(f.Terms[o], kernel.SplitTerm{Kernel: c*n + r.IntN(n), Factor: 1})
			}
		}
	}
	return f
}

// sparse makes weights of which a share is zero.
func sparse(s kernel.ConvShape, zeros float64) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	w := make([]float32, s.O*s.C*s.KH*s.KW)
	for i := range w {
		if r.Float64() >= zeros {
			w[i] = float32(r.NormFloat64())
		}
	}
	return w
}

// BenchmarkSplit reports how many times as fast convolutions of shared slices are as
// dense ones, in the form that is best for those: the median over pairs of runs in
// turn, by processor time. SplitPays is fitted to these ratios, and says yes where gain
// is above 1.
func BenchmarkSplit(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range splitLayers {
			for _, n := range []int{1, 2, 4, 8, 16, 32} {
				for _, zeros := range []float64{0, 0.5, 0.8} {
					if n > s.O/2 {
						continue
					}
					name := fmt.Sprintf("%dx%d,%d->%d,%dx%ds%d/kernels=%d,zeros=%v", s.H, s.W, s.C, s.O, s.KH, s.KW, s.StrideH, n, zeros)
					b.Run(name, func(b *testing.B) { benchSplit(b, s, alike(s, n, zeros)) })
				}
			}
		}
	})
}

// BenchmarkSparse is BenchmarkSplit for layers of which most weights are zero.
func BenchmarkSparse(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range sparseLayers {
			for _, zeros := range []float64{0.5, 0.7, 0.8, 0.9, 0.95} {
				name := fmt.Sprintf("%dx%d,%d->%d,%dx%ds%d/kernels=1,zeros=%v", s.H, s.W, s.C, s.O, s.KH, s.KW, s.StrideH, zeros)
				b.Run(name, func(b *testing.B) { benchSplit(b, s, kernel.ShareTaps(sparse(s, zeros), s.O, s.C, s.KH*s.KW)) })
			}
		}
	})
}

// convolution is a way to compute a convolution: all its tasks.
type convolution func(dst, src []float32)

func benchSplit(b *testing.B, s kernel.ConvShape, f *kernel.SplitFilters) {
	weights, split := planSplit(b, s, f)
	scratch := make([]float32, split.ScratchFloats())
	ep := kernel.Relu(make([]float32, s.O))
	dense := denseForm(b, s, f.Dense(s), &ep)
	src, dst := make([]float32, s.H*s.W*s.C), make([]float32, s.OH()*s.OW()*s.O)
	for i := range src {
		src[i] = float32(i%7) - 3
	}
	ratio, fast, slow := inTurn(b, max(1, int(5e7/s.Flops())), func() {
		for task := range split.Tasks() {
			split.Run(task, dst, src, weights, &ep, scratch)
		}
	}, func() { dense(dst, src) })
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(1e6*fast, "µs")
	b.ReportMetric(1e6*slow, "dense-µs")
	b.ReportMetric(kernel.SplitGain(s, f.Counts()), "gain")
}

// inTurn is how many times as long b takes as a, the median over pairs, and the
// median times of both in seconds.
func inTurn(b *testing.B, turns int, first, second func()) (ratio, a, c float64) {
	var times [2][]float64
	var ratios []float64
	for b.Loop() {
		var t [2]float64
		for i, f := range []func(){first, second} {
			start := processor()
			for range turns {
				f()
			}
			t[i] = (processor() - start) / float64(turns)
			times[i] = append(times[i], t[i])
		}
		ratios = append(ratios, t[1]/t[0])
	}
	return stat.Median(ratios), stat.Median(times[0]), stat.Median(times[1])
}

// denseForm is the convolution as the engine computes it.
func denseForm(b *testing.B, s kernel.ConvShape, w []float32, ep *kernel.Epilogue) convolution {
	if m := kernel.WinogradTile(s); m > 0 {
		weights, conv := planWinograd(b, s, m, w)
		scratch := make([]float32, conv.ScratchFloats())
		return func(dst, src []float32) {
			for task := range conv.Tasks() {
				conv.Run(task, dst, src, weights, ep, scratch)
			}
		}
	}
	weights, err := kernel.PackConv(s, w)
	if err != nil {
		b.Fatal(err)
	}
	conv, err := kernel.NewConv(s)
	if err != nil {
		b.Fatal(err)
	}
	scratch := make([]float32, conv.ScratchFloats())
	return func(dst, src []float32) {
		for task := range conv.Tasks() {
			conv.Run(task, dst, src, weights, ep, scratch)
		}
	}
}
