package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pare/engine"
	"pare/internal/cpu"
	"pare/internal/stat"
	"pare/tensor"
)

// BenchmarkLowRank reports how many times as fast layers are as two of low rank: 3x3
// filters and 1x1 behind them, 3x1 and 1x3, and products.
func BenchmarkLowRank(b *testing.B) {
	for _, level := range cpu.Levels()[1:] {
		for _, l := range []struct{ size, c int }{{56, 64}, {28, 128}, {14, 256}, {7, 512}, {32, 16}, {8, 64}} {
			x := fmt.Sprintf("(x f32[1,%d,%d,%d]) -> (y) {", l.c, l.size, l.size)
			dense := x + fmt.Sprintf("const w = f32[%d,%d,3,3]{*0.0}\ny = Conv(x, w) {pads=[1,1,1,1]} }", l.c, l.c)
			for _, share := range []float64{0.25, 0.375, 0.5, 0.625, 0.75} {
				r := int(share * float64(l.c))
				lowRank(b, level, fmt.Sprintf("%dx%d,%d,channel/%v", l.size, l.size, l.c, share), dense,
					x+fmt.Sprintf("const w1 = f32[%d,%d,3,3]{*0.0}\nconst w2 = f32[%d,%d,1,1]{*0.0}\nh = Conv(x, w1) {pads=[1,1,1,1]}\ny = Conv(h, w2) }", r, l.c, l.c, r))
				lowRank(b, level, fmt.Sprintf("%dx%d,%d,spatial/%v", l.size, l.size, l.c, share), dense,
					x+fmt.Sprintf("const w1 = f32[%d,%d,3,1]{*0.0}\nconst w2 = f32[%d,%d,1,3]{*0.0}\nh = Conv(x, w1) {pads=[1,0,1,0]}\ny = Conv(h, w2) {pads=[0,1,0,1]} }", r, l.c, l.c, r))
			}
		}
		for _, l := range []struct{ m, k, n int }{{1, 768, 3072}, {1, 4096, 4096}, {197, 768, 768}, {197, 768, 3072}} {
			x := fmt.Sprintf("(x f32[%d,%d]) -> (y) {", l.m, l.k)
			dense := x + fmt.Sprintf("const w = f32[%d,%d]{*0.0}\ny = MatMul(x, w) }", l.k, l.n)
			for _, share := range []float64{0.25, 0.5, 0.75} {
				r := int(share * float64(min(l.k, l.n)))
				lowRank(b, level, fmt.Sprintf("%d,%dx%d,product/%v", l.m, l.k, l.n, share), dense,
					x+fmt.Sprintf("const w1 = f32[%d,%d]{*0.0}\nconst w2 = f32[%d,%d]{*0.0}\nh = MatMul(x, w1)\ny = MatMul(h, w2) }", l.k, r, r, l.n))
			}
		}
	}
}

func lowRank(b *testing.B, level, name, dense, thin string) {
	b.Run(level+"/"+name, func(b *testing.B) {
		restore, full := cpu.Cap(level)
		defer restore()
		if !full {
			b.Skipf("this machine has no %s", level)
		}
		var sessions []*engine.Session
		in := map[string]*tensor.Tensor{}
		for _, body := range []string{thin, dense} {
			m := model(b, body)
			fillConsts(m)
			s, x := open(b, m, engine.Options{Threads: 1})
			sessions, in = append(sessions, s), x
		}
		var ratios []float64
		for b.Loop() {
			ratios = append(ratios, layerTime(b, sessions[1], in)/layerTime(b, sessions[0], in))
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(stat.Median(ratios), "ratio")
	})
}

// layerTime is the time of the steps that are no change of layout.
func layerTime(b *testing.B, s *engine.Session, in map[string]*tensor.Tensor) (sum float64) {
	steps, err := s.Profile(context.Background(), in, 5)
	if err != nil {
		b.Fatal(err)
	}
	for _, st := range steps {
		if !strings.HasPrefix(st.Kernel, "to channels") {
			sum += st.Seconds
		}
	}
	return sum
}
