package kernel_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"pare/internal/stat"
	"pare/kernel"
)

// winogradLayers are the 3x3 layers of stride 1 of ResNet-18 and ResNet-50,
// ResNet-20 for CIFAR and DenseNet-121.
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
}

// processor is the processor time of this process in seconds.
func processor() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkWinograd reports how many times as fast Winograd's form is as the
// direct one, as the median over pairs of runs in turn, by processor time.
// Weights change from run to run, as within a network, so that large ones come
// from memory.
func BenchmarkWinograd(b *testing.B) {
	_ = os.Getenv
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range winogradLayers {
			for _, m := range []int{4, 2} {
				b.Run(fmt.Sprintf("%dx%d,%d->%d/%d", s.H, s.W, s.C, s.O, m), func(b *testing.B) { benchWinograd(b, s, m) })
			}
		}
	})
}

func benchWinograd(b *testing.B, s kernel.ConvShape, m int) {
	const total = 48 << 20 // bytes of weights, beyond the last cache
	w := make([]float32, s.O*s.C*9)
	copies := max(1, min(8, total/(4*len(w))))
	r := random(3)
	for i := range w {
		w[i] = r.Float32() - 0.5
	}
	src, dst := make([]float32, s.N*s.H*s.W*s.C), make([]float32, s.N*s.OH()*s.OW()*s.O)
	for i := range src {
		src[i] = r.Float32()
	}
	ep := kernel.Relu(make([]float32, s.O))
	var fast []*kernel.WinogradWeights
	var slow []*kernel.ConvWeights
	wino, err := kernel.NewWinograd(s, m)
	if err != nil {
		b.Fatal(err)
	}
	conv, err := kernel.NewConv(s)
	if err != nil {
		b.Fatal(err)
	}
	for range copies {
		f, _ := kernel.PackWinograd(s, m, w)
		d, _ := kernel.PackConv(s, w)
		fast, slow = append(fast, f), append(slow, d)
	}
	scratch := make([]float32, max(wino.ScratchFloats(), conv.ScratchFloats()))
	times := max(copies, int(2e8/s.Flops())/copies*copies)
	run := func(k int) {
		for i := range times {
			for task := range wino.Tasks() {
				wino.Run(task, dst, src, fast[(i+k)%copies], &ep, scratch)
			}
		}
	}
	base := func(k int) {
		for i := range times {
			for task := range conv.Tasks() {
				conv.Run(task, dst, src, slow[(i+k)%copies], &ep, scratch)
			}
		}
	}
	run(0)
	base(0)
	var ratios, times1, times2 []float64
	for b.Loop() {
		t0 := processor()
		run(0)
		t1 := processor()
		base(0)
		t2 := processor()
		ratios = append(ratios, (t2-t1)/(t1-t0))
		times1, times2 = append(times1, t1-t0), append(times2, t2-t1)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(stat.Median(ratios), "ratio")
	b.ReportMetric(s.Flops()*float64(times)/stat.Median(times1)/1e9, "wino-GFLOP/s")
	b.ReportMetric(s.Flops()*float64(times)/stat.Median(times2)/1e9, "direct-GFLOP/s")
}
