package engine_test

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"pare/engine"
	"pare/internal/cpu"
	"pare/kernel"
)

// BenchmarkNetworks times one image on one thread, in turns with the peak of
// the same core, and reports the best of each. With -v it lists the steps that
// take longest.
func BenchmarkNetworks(b *testing.B) {
	for _, name := range speedNetworks {
		b.Run(name, func(b *testing.B) {
			m := speedModel(b, name)
			for _, level := range cpu.Levels()[1:] {
				b.Run(level, func(b *testing.B) {
					restore, full := cpu.Cap(level)
					defer restore()
					if !full {
						b.Skipf("this machine has no %s", level)
					}
					s, in := open(b, m, engine.Options{Threads: 1})
					best, peak := math.Inf(1), 0.0
					steps, err := s.Profile(context.Background(), in, 5)
					if err != nil {
						b.Fatal(err)
					}
					for b.Loop() {
						peak = max(peak, kernel.Peak(20*time.Microsecond))
						t := time.Now()
						if _, err := s.Run(context.Background(), in); err != nil {
							b.Fatal(err)
						}
						best = min(best, time.Since(t).Seconds())
					}
					var flops int64
					for _, st := range steps {
						flops += st.Flops
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(best*1e3, "best-ms")
					b.ReportMetric(float64(flops)/best/1e9, "GFLOP/s")
					b.ReportMetric(100*float64(flops)/best/peak, "%peak")
					b.ReportMetric(float64(s.ArenaBytes())/1e6, "arena-MB")
					slowest(b, steps, peak)
				})
			}
		})
	}
}

func slowest(b *testing.B, steps []engine.StepTime, peak float64) {
	total := 0.0
	byKernel := map[string]float64{}
	for _, st := range steps {
		total += st.Seconds
		byKernel[st.Kernel] += st.Seconds
	}
	var names []string
	for k := range byKernel {
		names = append(names, k)
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Compare(byKernel[y], byKernel[x]) })
	for _, k := range names[:min(len(names), 8)] {
		b.Logf("%5.1f %% %s", 100*byKernel[k]/total, k)
	}
	slices.SortFunc(steps, func(x, y engine.StepTime) int { return cmp.Compare(y.Seconds, x.Seconds) })
	for _, st := range steps[:min(len(steps), 8)] {
		b.Logf("%7.3f ms %5.1f %% of peak %s %s (%s)", st.Seconds*1e3, 100*float64(st.Flops)/st.Seconds/peak, st.Kernel, st.Name, st.Op)
	}
}
