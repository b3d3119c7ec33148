package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pare/engine"
	"pare/internal/cpu"
	"pare/internal/stat"
	"pare/ir"
)

// BenchmarkWinograd reports how many times as fast networks are with Winograd's
// form as without it: the median over pairs of runs in turn.
func BenchmarkWinograd(b *testing.B) {
	for _, name := range []string{"resnet18", "resnet50", "densenet121"} {
		m := speedModel(b, name)
		for _, level := range cpu.Levels()[1:] {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/%d", name, level, threads), func(b *testing.B) {
					restore, full := cpu.Cap(level)
					defer restore()
					if !full {
						b.Skipf("this machine has no %s", level)
					}
					benchWinograd(b, m, threads)
				})
			}
		}
	}
}

func benchWinograd(b *testing.B, m *ir.Model, threads int) {
	fast, in := open(b, m, engine.Options{Threads: threads})
	slow, _ := open(b, m, engine.Options{Threads: threads, Direct: true})
	var ratios []float64
	var times [2][]float64
	for b.Loop() {
		var t [2]float64
		for i, s := range []*engine.Session{fast, slow} {
			start := time.Now()
			if _, err := s.Run(context.Background(), in); err != nil {
				b.Fatal(err)
			}
			t[i] = time.Since(start).Seconds()
			times[i] = append(times[i], t[i])
		}
		ratios = append(ratios, t[1]/t[0])
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(stat.Median(ratios), "ratio")
	b.ReportMetric(1e3*stat.Median(times[0]), "ms")
	b.ReportMetric(1e3*stat.Median(times[1]), "direct-ms")
}
