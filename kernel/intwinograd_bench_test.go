//go:build unix

package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/internal/stat"
	"pare/kernel"
)

// BenchmarkIntWinograd reports how many times as fast Winograd's form of integers
// is as the direct one, and how many times as fast as Winograd's form of floats,
// as the medians over runs in turn, by processor time. IntWinogradTile is fitted
// to the first.
func BenchmarkIntWinograd(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range winogradLayers {
			for _, largest := range []int8{127, 63, 7} {
				for _, m := range []int{4, 2} {
					b.Run(fmt.Sprintf("max%d/%dx%d,%d->%d,tile=%d", largest, s.H, s.W, s.C, s.O, m), func(b *testing.B) { benchIntWinograd(b, s, m, largest) })
				}
			}
		}
	})
}

// form is a way to compute a layer, with copies of its weights to be used in turn:
// as within a network, large ones then come from memory.
type form []func()

func benchIntWinograd(b *testing.B, s kernel.ConvShape, m int, largest int8) {
	forms := []form{intWinogradForm(b, s, m, largest), intDirectForm(b, s, largest), floatForm(b, s)}
	turns := max(1, int(2e8/s.Flops())/len(forms[0])) * len(forms[0])
	times := make([][]float64, len(forms))
	for b.Loop() {
		for k, f := range forms {
			start := processor()
			for i := range turns {
				f[i%len(f)]()
			}
			times[k] = append(times[k], (processor()-start)/float64(turns))
		}
	}
	b.ReportMetric(0, "ns/op")
	own := stat.Median(times[0])
	b.ReportMetric(1e6*own, "us")
	b.ReportMetric(stat.Median(times[1])/own, "direct/this")
	b.ReportMetric(stat.Median(times[2])/own, "float/this")
}

func bufferCopies(weights int) int { return min(5, 1+48<<20/(4*weights)) }

func intWinogradForm(b *testing.B, s kernel.ConvShape, m int, largest int8) (f form) {
	w := weightsUpTo(s, largest)
	src, dst := make([]uint8, s.H*s.W*s.C), make([]uint8, s.H*s.W*s.O)
	ep := kernel.IntEpilogue{Mul: make([]float32, s.O), Add: make([]float32, s.O)}
	for range bufferCopies(len(w)) {
		p, err := kernel.PackIntWinograd(s, m, w, 0)
		if err != nil {
			b.Fatal(err)
		}
		c, err := kernel.NewIntWinograd(s, p)
		if err != nil {
			b.Fatal(err)
		}
		scratch := make([]uint8, c.ScratchBytes())
		f = append(f, func() {
			for task := range c.Tasks() {
				c.Run(task, dst, src, &ep, scratch)
			}
		})
	}
	return f
}

func intDirectForm(b *testing.B, s kernel.ConvShape, largest int8) (f form) {
	w := weightsUpTo(s, largest)
	src, dst := make([]uint8, s.H*s.W*s.C), make([]uint8, s.H*s.W*s.O)
	ep := kernel.IntEpilogue{Mul: make([]float32, s.O), Add: make([]float32, s.O)}
	for range bufferCopies(len(w)) {
		p, err := kernel.PackIntConv(s, w, 0)
		if err != nil {
			b.Fatal(err)
		}
		c, err := kernel.NewIntConv(s, p)
		if err != nil {
			b.Fatal(err)
		}
		scratch := make([]uint8, c.ScratchBytes())
		f = append(f, func() {
			for task := range c.Tasks() {
				c.Run(task, dst, src, &ep, scratch)
			}
		})
	}
	return f
}

func floatForm(b *testing.B, s kernel.ConvShape) (f form) {
	w := make([]float32, s.O*s.C*9)
	src, dst := make([]float32, s.H*s.W*s.C), make([]float32, s.H*s.W*s.O)
	ep := kernel.Relu(make([]float32, s.O))
	m := kernel.WinogradTile(s)
	if m == 0 {
		b.Skipf("%+v: floats take the direct form", s)
	}
	for range bufferCopies(len(w)) {
		p, err := kernel.PackWinograd(s, m, w)
		if err != nil {
			b.Fatal(err)
		}
		c, err := kernel.NewWinograd(s, m)
		if err != nil {
			b.Fatal(err)
		}
		scratch := make([]float32, c.ScratchFloats())
		f = append(f, func() {
			for task := range c.Tasks() {
				c.Run(task, dst, src, p, &ep, scratch)
			}
		})
	}
	return f
}

// weightsUpTo are spread as trained ones are, up to the given size: some kernels
// leave out zeros, and small weights go in larger groups.
func weightsUpTo(s kernel.ConvShape, largest int8) []int8 {
	r := rand.New(rand.NewPCG(1, 2))
	w := make([]int8, s.O*s.C*9)
	for i := range w {
		x := math.Round(r.NormFloat64() * float64(largest) / 3.5)
		w[i] = int8(min(max(x, -float64(largest)), float64(largest)))
	}
	w[0] = largest
	return w
}
