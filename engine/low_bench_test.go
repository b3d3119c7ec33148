package engine_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"pare/engine"
	"pare/format"
	"pare/internal/cpu"
	"pare/internal/hugepage"
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// BenchmarkBatchOne times dense 4096x4096 layers of one row by formats, on one and
// two threads, in turns with float32 and with reading memory by as many threads.
// Between runs other memory is read, so that no weights stay in the caches.
func BenchmarkBatchOne(b *testing.B) {
	const n = 4096
	formats := []struct {
		name  string
		codes bool
		spec  format.Spec
	}{
		{"w4a16", false, format.Spec{Bits: 4, Grain: format.PerChannel, Axis: 1}},
		{"w4a16-blocks", false, format.Spec{Bits: 4, Grain: format.PerBlock, Axis: 0, Block: 64, Asymmetric: true}},
		{"w4a8", true, format.Spec{Bits: 4, Grain: format.PerChannel, Axis: 1}},
		{"w4a8-power", true, format.Spec{Kind: format.Power, Bits: 4, Exponent: 0.5, Grain: format.PerChannel, Axis: 1}},
	}
	var models []*ir.Model
	for _, f := range formats {
		models = append(models, lowModel(b, 1, n, n, false, f.codes, f.spec))
	}
	floats := floatModel(b, n)
	memory := hugepage.Float32s(64 << 20 / 4)
	for i := range memory {
		memory[i] = 1
	}
	for _, level := range cpu.Levels()[1:] {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprint(level, "/", threads), func(b *testing.B) {
				restore, full := cpu.Cap(level)
				defer restore()
				if !full {
					b.Skipf("this machine has no %s", level)
				}
				runs := []func() float64{func() float64 { return reading(memory, threads) }, timed(b, floats, threads)}
				for _, m := range models {
					runs = append(runs, timed(b, m, threads))
				}
				best := make([]float64, len(runs))
				for i := range best {
					best[i] = math.Inf(1)
				}
				for b.Loop() {
					for i, run := range runs {
						reading(memory, threads)
						best[i] = min(best[i], run())
					}
				}
				b.ReportMetric(0, "ns/op")
				read := float64(4*len(memory)) / best[0]
				b.ReportMetric(read/1e9, "read-GB/s")
				b.ReportMetric(4*n*n/best[1]/1e9, "f32-GB/s")
				for i, f := range formats {
					b.ReportMetric(best[1]/best[i+2], f.name+"-x-f32")
					b.ReportMetric(100*n*n/2/best[i+2]/read, f.name+"-%read")
				}
			})
		}
	}
}

// floatModel is the layer with weights of float32.
func floatModel(b *testing.B, n int) *ir.Model {
	m := model(b, fmt.Sprintf(`(x f32[1,%[1]d]) -> (y) {
		const w = f32[%[1]d,%[1]d]{*0.5}
		const b = f32[%[1]d]{*0.5}
		a = MatMul(x, w)
		s = Add(a, b)
		y = Relu(s) }`, n))
	fill("w", m.Graph.Value("w").Const)
	return m
}

// timed returns the seconds of a run.
func timed(b *testing.B, m *ir.Model, threads int) func() float64 {
	p, err := engine.Compile(context.Background(), m, engine.Options{Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	s, in := p.NewSession(), inputsOf(m, 1)
	out := map[string]*tensor.Tensor{}
	run := func() float64 {
		t := time.Now()
		if out, err = s.Run(context.Background(), in); err != nil || len(out) == 0 {
			b.Fatal(err)
		}
		return time.Since(t).Seconds()
	}
	run()
	return run
}

// reading returns the seconds that threads take to read the memory.
func reading(memory []float32, threads int) float64 {
	t, done, part := time.Now(), make(chan float32), len(memory)/threads
	for i := range threads {
		go func() { done <- kernel.RowMax(memory[i*part:][:part]) }()
	}
	for range threads {
		<-done
	}
	return time.Since(t).Seconds()
}
