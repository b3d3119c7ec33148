package kernel_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pare/internal/hugepage"
	"pare/kernel"
)

// gemvBytes is how many bytes of matrices take turns, so that all come from
// memory.
const gemvBytes = 160 << 20

// contender is a product whose matrix is one of many.
type contender struct {
	name  string
	bytes int // of a matrix
	run   func(turn int)
	best  float64
}

// floatContender multiplies by panels of float32.
func floatContender(b *testing.B, n int, x, y []float32) *contender {
	g, err := kernel.NewGemm(kernel.GemmShape{M: 1, N: n, K: n})
	if err != nil {
		b.Fatal(err)
	}
	var w []*kernel.Panels
	for range (gemvBytes + 4*n*n - 1) / (4 * n * n) {
		p, err := kernel.NewPanels(n, n, nil)
		if err != nil {
			b.Fatal(err)
		}
		p.Pack(kernel.Source{Data: make([]float32, n*n), LD: n})
		w = append(w, p)
	}
	scratch := make([]float32, g.ScratchFloats())
	return &contender{name: "f32", bytes: 4 * n * n, run: func(turn int) {
		for task := range g.Tasks() {
			g.Run(task, y, x, w[turn%len(w)], &kernel.Epilogue{}, scratch)
		}
	}}
}

// lowContender multiplies by codes.
func lowContender(b *testing.B, n, bits, block int, x, y []float32) *contender {
	src := kernel.LowSource{Codes: make([]uint8, n*n), StepK: 1, StepJ: n, Bits: bits, Levels: ramp(1 << min(bits, 4)), Block: block}
	src.Scale = make([]float32, n*n/block)
	if bits == 8 {
		src.Levels = nil
	}
	var w []*kernel.LowWeights
	for size := 0; size < gemvBytes; size += w[0].Bytes() {
		p, err := kernel.PackLow(n, n, src)
		if err != nil {
			b.Fatal(err)
		}
		w = append(w, p)
	}
	g := kernel.NewLowGemm(1, w[0])
	fixed, scratch := make([]float32, g.FixedFloats()), make([]float32, g.ScratchFloats())
	return &contender{name: fmt.Sprintf("w%da16b%d", bits, block), bytes: w[0].Bytes(), run: func(turn int) {
		g := kernel.NewLowGemm(1, w[turn%len(w)])
		g.Fix(0, fixed, x)
		for task := range g.Tasks() {
			g.Run(task, y, x, fixed, &kernel.Epilogue{}, scratch)
		}
	}}
}

// codeContender multiplies bytes by weights of these values.
func codeContender(b *testing.B, n int, levels []int8) *contender {
	shape := kernel.ConvShape{N: 1, H: 1, W: 1, C: n, KH: 1, KW: 1, O: n}
	values := make([]int8, n*n)
	for i := range values {
		values[i] = levels[i%len(levels)]
	}
	var convs []*kernel.IntConv
	bytes := 0
	for size := 0; size < gemvBytes; size += bytes {
		w, err := kernel.PackIntFew(shape, values, 128)
		if err != nil {
			b.Fatal(err)
		}
		c, err := kernel.NewIntConv(shape, w)
		if err != nil {
			b.Fatal(err)
		}
		convs, bytes = append(convs, c), w.Bytes()
	}
	x, y := make([]uint8, n), make([]uint8, n)
	ep := kernel.IntEpilogue{Mul: make([]float32, n), Add: make([]float32, n)}
	scratch := make([]uint8, convs[0].ScratchBytes())
	return &contender{name: fmt.Sprintf("%dlevels-to-%d-a8", len(levels), levels[len(levels)-1]), bytes: bytes, run: func(turn int) {
		c := convs[turn%len(convs)]
		for task := range c.Tasks() {
			c.Run(task, y, x, &ep, scratch)
		}
	}}
}

// BenchmarkFewRows times one row times a square matrix from memory, in turns
// with float32 and with plain reading, and reports the best of each.
func BenchmarkFewRows(b *testing.B) {
	const n = 4096
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(i%7) - 3
	}
	eachBenchLevel(b, func(b *testing.B) {
		memory := hugepage.Float32s(gemvBytes / 4)
		for i := range memory {
			memory[i] = 1
		}
		part := len(memory) / 4
		race := []*contender{
			{name: "read", bytes: 4 * part, run: func(turn int) { kernel.RowMax(memory[turn%4*part:][:part]) }},
			floatContender(b, n, x, y),
		}
		race = append(race, packedContenders(b, n, x, y)...)
		for _, c := range race {
			c.best = math.Inf(1)
		}
		for turn := 0; b.Loop(); turn++ {
			for _, c := range race {
				t := time.Now()
				c.run(turn)
				c.best = min(c.best, time.Since(t).Seconds())
			}
		}
		b.ReportMetric(0, "ns/op")
		speed := func(c *contender) float64 { return float64(c.bytes) / c.best }
		for i, c := range race {
			b.ReportMetric(speed(c)/1e9, c.name+"-GB/s")
			if i > 1 {
				b.ReportMetric(race[1].best/c.best, c.name+"-x-f32")
				b.ReportMetric(100*speed(c)/speed(race[0]), c.name+"-%read")
			}
		}
	})
}

// packedContenders are the products whose weights stay codes.
func packedContenders(b *testing.B, n int, x, y []float32) []*contender {
	return []*contender{
		lowContender(b, n, 4, n, x, y),
		lowContender(b, n, 4, 128, x, y),
		lowContender(b, n, 4, 32, x, y),
		lowContender(b, n, 2, n, x, y),
		lowContender(b, n, 8, n, x, y),
		codeContender(b, n, ramp(16)),
		codeContender(b, n, []int8{-1, 0, 1, 2}),
		codeContender(b, n, []int8{-127, -88, -64, -45, -31, -20, -11, -5, 0, 5, 11, 20, 31, 64, 88, 127}),
	}
}
