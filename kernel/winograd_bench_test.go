//go:build unix

package kernel_test

import (
	"fmt"
	"syscall"
	"testing"

	"pare/internal/stat"
	"pare/kernel"
)

// winogradLayers are the 3x3 layers of stride 1 of ResNet-18 and ResNet-50,
// ResNet-20 for CIFAR and DenseNet-121, and of pruned ResNets.
var winogradLayers = []kernel.ConvShape{
	same(56, 64, 3, 1, 64),
	same(28, 128, 3, 1, 128),
	same(14, 256, 3, 1, 256),
	same(7, 512, 3, 1, 512),
	same(32, 16, 3, 1, 16),
	same(16, 32, 3, 1, 32),
	same(8, 64, 3, 1, 64),
	same(56, 128, 3, 1, 32),
	same(28, 128, 3, 1, 32),
	same(14, 128, 3, 1, 32),
	same(7, 128, 3, 1, 32),
	same(56, 45, 3, 1, 45),
	same(28, 90, 3, 1, 90),
	same(14, 179, 3, 1, 179),
	same(7, 359, 3, 1, 359),
	same(32, 8, 3, 1, 8),
	same(32, 9, 3, 1, 9),
	same(32, 11, 3, 1, 11),
	same(32, 13, 3, 1, 13),
	same(16, 23, 3, 1, 23),
	same(8, 45, 3, 1, 45),
	same(28, 128, 3, 1, 11),
	same(28, 11, 3, 1, 64),
}

// BenchmarkWinograd reports how many times as fast Winograd's form is as the
// direct one, as the median over pairs of runs in turn, by processor time.
// WinogradTile is fitted to these ratios.
func BenchmarkWinograd(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range winogradLayers {
			for _, m := range []int{4, 2} {
				b.Run(fmt.Sprintf("%dx%d,%d->%d,tile=%d", s.H, s.W, s.C, s.O, m), func(b *testing.B) { benchWinograd(b, s, m) })
			}
		}
	})
}

func benchWinograd(b *testing.B, s kernel.ConvShape, m int) {
	conv, err := kernel.NewConv(s)
	if err != nil {
		b.Fatal(err)
	}
	wino, err := kernel.NewWinograd(s, m)
	if err != nil {
		b.Fatal(err)
	}
	slow, fast := copies(b, s, m)
	src, dst := make([]float32, s.H*s.W*s.C), make([]float32, s.H*s.W*s.O)
	scratch := make([]float32, max(wino.ScratchFloats(), conv.ScratchFloats()))
	ep := kernel.Relu(make([]float32, s.O))
	turns := max(1, int(2e8/s.Flops())/len(slow)) * len(slow)
	var times [2][]float64
	var ratios []float64
	for b.Loop() {
		start := processor()
		for i := range turns {
			for task := range wino.Tasks() {
				wino.Run(task, dst, src, fast[i%len(fast)], &ep, scratch)
			}
		}
		middle := processor()
		for i := range turns {
			for task := range conv.Tasks() {
				conv.Run(task, dst, src, slow[i%len(slow)], &ep, scratch)
			}
		}
		end := processor()
		times[0], times[1] = append(times[0], middle-start), append(times[1], end-middle)
		ratios = append(ratios, (end-middle)/(middle-start))
	}
	flops := s.Flops() * float64(turns) / 1e9
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(stat.Median(ratios), "ratio")
	b.ReportMetric(flops/stat.Median(times[0]), "GFLOP/s")
	b.ReportMetric(flops/stat.Median(times[1]), "direct-GFLOP/s")
}

// copies packs weights several times over, to be used in turn: as within a
// network, large ones then come from memory.
func copies(b *testing.B, s kernel.ConvShape, m int) (slow []*kernel.ConvWeights, fast []*kernel.WinogradWeights) {
	w := make([]float32, s.O*s.C*9)
	for range min(5, 1+48<<20/(4*len(w))) {
		d, err := kernel.PackConv(s, w)
		if err != nil {
			b.Fatal(err)
		}
		f, err := kernel.PackWinograd(s, m, w)
		if err != nil {
			b.Fatal(err)
		}
		slow, fast = append(slow, d), append(fast, f)
	}
	return slow, fast
}

// processor is the time in seconds that this process has spent on processors.
func processor() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
