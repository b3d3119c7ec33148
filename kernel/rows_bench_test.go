package kernel

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pare/internal/cpu"
)

// benchRows times every row of a table in turns with the portable one, and
// reports the best pace and the ratio.
func benchRows[F any](b *testing.B, family string, rows []impl[F], flops, bytes float64, call func(run F)) {
	for _, r := range rows {
		b.Run(family+"/"+r.name, func(b *testing.B) {
			if !cpu.Has(r.needs) {
				b.Skipf("this machine has no %v", r.needs)
			}
			best, slow := math.Inf(1), math.Inf(1)
			for b.Loop() {
				best = min(best, seconds(func() { call(r.run) }))
				slow = min(slow, seconds(func() { call(portable(rows)) }))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(best*1e9, "best-ns")
			b.ReportMetric(slow/best, "x-portable")
			if flops > 0 {
				b.ReportMetric(flops/best/1e9, "GFLOP/s")
			}
			b.ReportMetric(bytes/best/1e9, "GB/s")
		})
	}
}

// seconds is the time of one call, of some in a row.
func seconds(f func()) float64 {
	const calls = 4
	t := time.Now()
	for range calls {
		f()
	}
	return time.Since(t).Seconds() / calls
}

func BenchmarkElementwiseRows(b *testing.B) {
	for _, n := range []int{16, 100, 4096} {
		src, dst, other := plain(1, n), plain(2, n), plain(3, n)
		size := 8 * float64(n)
		at := func(name string) string { return fmt.Sprintf("%s/%d", name, n) }
		for op := range unaryCount {
			benchRows(b, at(op.String()), unaryLoops[op], 0, size, func(f unaryLoop) { f(dst, src) })
		}
		for op := range binaryCount {
			benchRows(b, at(op.String()), binaryLoops[op], 0, 1.5*size, func(f binaryLoop) { f(dst, src, other, false, false, -inf, inf) })
		}
		benchRows(b, at("affine"), affineLoops, 0, size, func(f affineLoop) { f(dst, src, 2, 1, 0, 6) })
		benchRows(b, at("rowmax"), rowMaxLoops, 0, size/2, func(f reduceLoop) { f(src) })
		benchRows(b, at("rowsum"), rowSumLoops, 0, size/2, func(f reduceLoop) { f(src) })
		benchRows(b, at("variance"), varianceLoops, 0, size/2, func(f reduce2Loop) { f(src, 1) })
		benchRows(b, at("expsum"), expSumLoops, 0, size, func(f expSumLoop) { f(dst, src, 1) })
		benchRows(b, at("normalize"), normalizeLoops, 0, size, func(f normalizeLoop) { f(dst, src, other, other, 1, 1) })
		bytes := make([]uint8, n)
		for _, channels := range []int{1, n} {
			_, c := scaleOf(seeded(4), channels, false)
			at := func(name string) string { return fmt.Sprintf("%s/%d,%d channels", name, n, channels) }
			benchRows(b, at("quantize"), quantizeLoops, 0, size/2, func(f quantizeLoop) { f(bytes, src, c) })
			benchRows(b, at("fakequantize"), fakeLoops, 0, size, func(f fakeLoop) { f(dst, src, c) })
			benchRows(b, at("dequantize_u8"), dequantU8, 0, size/2, func(f dequantizeLoop) { f(dst, bytes, c) })
			benchRows(b, at("dequantize_s8"), dequantS8, 0, size/2, func(f dequantizeLoop) { f(dst, bytes, c) })
		}
	}
}

func BenchmarkTransposeRows(b *testing.B) {
	for _, s := range [][2]int{{3, 224 * 224}, {64, 56 * 56}, {256, 196}, {49, 512}, {1000, 13}} {
		src, dst := make([]float32, s[0]*s[1]), make([]float32, s[0]*s[1])
		benchRows(b, fmt.Sprintf("transpose/%dx%d", s[0], s[1]), transposeLoops, 0, 8*float64(len(src)), func(f transposeLoop) { f(dst, src, s[0], s[1]) })
	}
}

// windowLayers are depthwise layers of MobileNet and EfficientNet.
var windowLayers = []struct{ h, c, k, stride int }{
	{56, 64, 3, 1}, {112, 32, 3, 1}, {112, 96, 3, 2}, {56, 144, 3, 1}, {28, 192, 3, 1}, {14, 384, 3, 1}, {14, 576, 3, 2}, {7, 960, 3, 1}, {28, 120, 5, 1}, {14, 480, 5, 1}, {32, 16, 3, 1},
}

func BenchmarkDepthwiseRows(b *testing.B) {
	for _, l := range windowLayers {
		s := ConvShape{N: 1, H: l.h, W: l.h, C: l.c, O: l.c, Groups: l.c, KH: l.k, KW: l.k, StrideH: l.stride, StrideW: l.stride,
			PadT: l.k / 2, PadL: l.k / 2, PadB: l.k / 2, PadR: l.k / 2}
		d, err := NewDepthwise(s)
		if err != nil {
			b.Fatal(err)
		}
		src, w, bias := make([]float32, l.h*l.h*l.c), make([]float32, l.k*l.k*l.c), make([]float32, l.c)
		dst, ep := make([]float32, s.OH()*s.OW()*l.c), Relu(bias)
		benchRows(b, fmt.Sprintf("depthwise/%dx%dx%d,%dx%ds%d", l.h, l.h, l.c, l.k, l.k, l.stride), depthwiseLoops, s.Flops(), 4*float64(len(src)+len(dst)), func(f windowLoop) {
			for task := range d.Tasks() {
				d.run(task, dst, src, w, &ep, f)
			}
		})
	}
}

func BenchmarkPoolRows(b *testing.B) {
	for _, l := range []PoolShape{{N: 1, H: 112, W: 112, C: 64, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadT: 1, PadL: 1, PadB: 1, PadR: 1},
		{N: 1, H: 56, W: 56, C: 32, KH: 2, KW: 2, StrideH: 2, StrideW: 2}, {N: 1, H: 7, W: 7, C: 2048, KH: 7, KW: 7}} {
		src, dst := make([]float32, l.H*l.W*l.C), make([]float32, l.OH()*l.OW()*l.C)
		what := fmt.Sprintf("%dx%dx%d,%dx%d", l.H, l.W, l.C, l.KH, l.KW)
		p, err := NewMaxPool(l)
		if err != nil {
			b.Fatal(err)
		}
		a, err := NewAvgPool(l)
		if err != nil {
			b.Fatal(err)
		}
		size := 4 * float64(len(src)+len(dst))
		benchRows(b, "maxpool/"+what, maxLoops, 0, size, func(f windowLoop) {
			for task := range p.Tasks() {
				p.run(task, dst, src, f)
			}
		})
		benchRows(b, "sumpool/"+what, sumLoops, 0, size, func(f windowLoop) {
			for task := range a.Tasks() {
				a.run(task, dst, src, f)
			}
		})
	}
}

// plain returns ordinary memory: beside an unmapped page the processor takes
// an assist for every masked access.
func plain(seed uint64, n int) []float32 {
	r, s := seeded(seed), make([]float32, n, n+16)
	for i := range s {
		s[i] = 8*r.Float32() - 4
	}
	return s
}
