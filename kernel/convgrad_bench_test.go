package kernel_test

import (
	"fmt"
	"testing"
	"time"

	"pare/kernel"
)

// batch is a layer with n images.
func batch(n int, s kernel.ConvShape) kernel.ConvShape {
	s.N = n
	return s
}

// depth is a depthwise layer.
func depth(h, c, k, stride int) kernel.ConvShape {
	s := same(h, c, k, stride, c)
	s.Groups = c
	return s
}

// gradLayers are layers of ResNet-20 for CIFAR, ResNet-50 and MobileNetV2 as training
// meets them.
var gradLayers = []kernel.ConvShape{
	batch(32, same(32, 3, 3, 1, 16)),
	batch(32, same(32, 16, 3, 1, 16)),
	batch(32, same(32, 16, 3, 2, 32)),
	batch(32, same(16, 32, 3, 1, 32)),
	batch(32, same(16, 32, 3, 2, 64)),
	batch(32, same(8, 64, 3, 1, 64)),
	batch(32, same(32, 16, 1, 2, 32)),
	batch(4, same(56, 64, 3, 1, 64)),
	batch(8, same(28, 128, 3, 1, 128)),
	batch(8, same(14, 256, 3, 1, 256)),
	batch(16, same(7, 512, 3, 1, 512)),
	batch(4, same(56, 128, 3, 2, 128)),
	batch(8, same(28, 256, 3, 2, 256)),
	batch(4, same(56, 64, 1, 1, 256)),
	batch(4, same(56, 256, 1, 1, 64)),
	batch(8, same(14, 1024, 1, 1, 256)),
	batch(4, same(56, 256, 1, 2, 512)),
	batch(16, same(7, 512, 1, 1, 2048)),
	batch(1, same(224, 3, 7, 2, 64)),
	batch(2, same(112, 16, 1, 1, 96)),
	batch(4, same(56, 24, 1, 1, 144)),
	batch(4, same(56, 144, 1, 1, 24)),
	batch(8, same(14, 96, 1, 1, 576)),
	batch(16, same(7, 960, 1, 1, 160)),
	batch(2, depth(112, 32, 3, 1)),
	batch(2, depth(112, 96, 3, 2)),
	batch(4, depth(56, 144, 3, 1)),
	batch(8, depth(14, 384, 3, 1)),
	batch(8, depth(14, 576, 3, 2)),
	batch(8, depth(14, 240, 5, 1)),
	batch(8, depth(28, 240, 5, 2)),
}

// BenchmarkConvGrad reports the speed of both gradients of a layer, packing of the
// weights included, and how it compares with that of the forward pass, in the form that
// the engine would choose and in the direct one.
func BenchmarkConvGrad(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range gradLayers {
			name := fmt.Sprintf("%dx%dx%d,%d->%d,%dx%ds%d", s.N, s.H, s.W, s.C, s.O, s.KH, s.KW, s.StrideH)
			if s.Groups > 1 {
				name += ",depthwise"
			}
			b.Run(name, func(b *testing.B) { benchConvGrad(b, s) })
		}
	})
}

func benchConvGrad(b *testing.B, s kernel.ConvShape) {
	x, y := make([]float32, s.N*s.H*s.W*s.C), make([]float32, s.N*s.OH()*s.OW()*s.O)
	w := make([]float32, s.O*s.C/max(1, s.Groups)*s.KH*s.KW)
	for i := range x {
		x[i] = float32(i%17) / 17
	}
	for i := range y {
		y[i] = float32(i%13) / 13
	}
	direct, chosen := forwardForms(b, s, w, x, y)
	runs := []func(){chosen, inputGrad(b, s, w, x, y), weightGrad(b, s, w, x, y)}
	if direct != nil {
		runs = append(runs, direct)
	}
	best := make([]float64, len(runs))
	for b.Loop() {
		for i, f := range runs {
			t := time.Now()
			f()
			if d := time.Since(t).Seconds(); best[i] == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, name := range []string{"forward", "dX", "dW", "direct"}[:len(runs)] {
		b.ReportMetric(s.Flops()/best[i]/1e9, name+"-GFLOP/s")
	}
	for i, name := range []string{"dX", "dW"} {
		b.ReportMetric(100*best[0]/best[i+1], name+"%")
		if direct != nil {
			b.ReportMetric(100*best[3]/best[i+1], name+"%direct")
		}
	}
}

// BenchmarkWinogradGrad reports how many times as fast Winograd's form of the weight
// gradient is as the direct one. The rule of NewConvWeightGrad is fitted to these ratios.
func BenchmarkWinogradGrad(b *testing.B) {
	eachBenchLevel(b, func(b *testing.B) {
		for _, s := range gradLayers {
			if s.KH*s.KW != 9 || s.StrideH > 1 || s.Groups > 1 {
				continue
			}
			for _, n := range []int{1, s.N} {
				s.N = n
				b.Run(fmt.Sprintf("%dx%dx%d,%d->%d", s.N, s.H, s.W, s.C, s.O), func(b *testing.B) { benchWinogradGrad(b, s) })
			}
		}
	})
}

func benchWinogradGrad(b *testing.B, s kernel.ConvShape) {
	x, y := make([]float32, s.N*s.H*s.W*s.C), make([]float32, s.N*s.H*s.W*s.O)
	w := make([]float32, s.O*s.C*9)
	var runs []func()
	for _, m := range []int{0, 2, 4} {
		g, err := kernel.NewConvWeightGradBy(s, m)
		if err != nil {
			b.Fatal(err)
		}
		runs = append(runs, runWeightGrad(g, w, x, y))
	}
	best := make([]float64, len(runs))
	for b.Loop() {
		for i, f := range runs {
			t := time.Now()
			f()
			if d := time.Since(t).Seconds(); best[i] == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(s.Flops()/best[0]/1e9, "direct-GFLOP/s")
	b.ReportMetric(100*best[0]/best[1], "2x2%")
	b.ReportMetric(100*best[0]/best[2], "4x4%")
}

// forwardForms returns the form that the engine would choose, and the direct one if that
// is another.
func forwardForms(b *testing.B, s kernel.ConvShape, w, x, y []float32) (direct, chosen func()) {
	ep := kernel.Epilogue{}
	if s.Groups > 1 {
		plan, err := kernel.NewDepthwise(s)
		if err != nil {
			b.Fatal(err)
		}
		packed, err := kernel.PackDepthwise(s, w)
		if err != nil {
			b.Fatal(err)
		}
		direct = func() {
			for task := range plan.Tasks() {
				plan.Run(task, y, x, packed, &ep)
			}
		}
		return nil, direct
	}
	plan, err := kernel.NewConv(s)
	if err != nil {
		b.Fatal(err)
	}
	packed, err := kernel.PackConv(s, w)
	if err != nil {
		b.Fatal(err)
	}
	scratch := make([]float32, plan.ScratchFloats())
	direct = func() {
		for task := range plan.Tasks() {
			plan.Run(task, y, x, packed, &ep, scratch)
		}
	}
	m := kernel.WinogradTile(s)
	if m == 0 {
		return nil, direct
	}
	wino, err := kernel.NewWinograd(s, m)
	if err != nil {
		b.Fatal(err)
	}
	filters, err := kernel.PackWinograd(s, m, w)
	if err != nil {
		b.Fatal(err)
	}
	room := make([]float32, wino.ScratchFloats())
	return direct, func() {
		for task := range wino.Tasks() {
			wino.Run(task, y, x, filters, &ep, room)
		}
	}
}

func inputGrad(b *testing.B, s kernel.ConvShape, w, x, y []float32) func() {
	g, err := kernel.NewConvInputGrad(s)
	if err != nil {
		b.Fatal(err)
	}
	weights := g.NewWeights()
	dx := make([]float32, len(x))
	scratch, pack := make([]float32, g.ScratchFloats()), make([]float32, weights.PackFloats())
	return func() {
		for task := range weights.PackTasks() {
			weights.Repack(task, w, pack)
		}
		for task := range g.Tasks() {
			g.Run(task, dx, y, weights, false, scratch)
		}
	}
}

func weightGrad(b *testing.B, s kernel.ConvShape, w, x, y []float32) func() {
	g, err := kernel.NewConvWeightGrad(s)
	if err != nil {
		b.Fatal(err)
	}
	return runWeightGrad(g, w, x, y)
}

func runWeightGrad(g *kernel.ConvWeightGrad, w, x, y []float32) func() {
	dw, partial := make([]float32, len(w)), make([]float32, g.PartialFloats())
	scratch, sums := make([]float32, g.ScratchFloats()), make([]float32, g.SumFloats())
	return func() {
		for task := range g.Tasks() {
			g.Run(task, partial, x, y, false, scratch)
		}
		for task := range g.SumTasks() {
			g.Sum(task, dw, nil, partial, sums)
		}
	}
}
