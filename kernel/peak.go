package kernel

import (
	"sync"
	"sync/atomic"
	"time"

	"pare/internal/cpu"
)

// peakRow is a loop of multiply-adds on registers; one turn is flops
// operations.
type peakRow struct {
	name  string
	needs cpu.Features
	flops int
	run   func(turns int)
}

// peaks is ordered best first.
var peaks = append(archPeaks, peakRow{"f32_8_go", 0, 16, peakGo})

// intPeaks are the loops of integers, exact for all operands of 8 bits.
var intPeaks = append(archIntPeaks, peakRow{"s32_4_go", 0, 8, intPeakGo})

// Peak measures, for about d, how many float32 operations a second the best
// allowed row of multiply-adds on registers reaches on one core: the yardstick
// for shares of peak. It returns the best of several short runs.
func Peak(d time.Duration) float64 { return fastest(peaks, d) }

// IntPeak is Peak for products of 8-bit integers, added exactly.
func IntPeak(d time.Duration) float64 { return fastest(intPeaks, d) }

// readBytes is more than caches hold; so many passes are made at least.
const (
	readBytes  = 128 << 20
	readPasses = 3
)

// ReadPeak measures, for about d, how many bytes a second so many goroutines read
// from memory together: the best of several passes over more than caches hold.
func ReadPeak(d time.Duration, threads int) float64 {
	words := make([]uint64, readBytes/8)
	for i := range words {
		words[i] = uint64(i) // else all pages may be one page of zeros
	}
	best, part := 0.0, len(words)/max(1, threads)
	for pass, end := 1, time.Now().Add(d); ; pass++ {
		var all sync.WaitGroup
		start := time.Now()
		for k := range max(1, threads) {
			all.Go(func() { readSink.Add(readWords(words[k*part : (k+1)*part])) })
		}
		all.Wait()
		best = max(best, readBytes/time.Since(start).Seconds())
		if pass >= readPasses && time.Now().After(end) {
			return best
		}
	}
}

// readSink keeps the reading alive.
var readSink atomic.Uint64

func readWords(p []uint64) uint64 {
	var a, b, c, d uint64
	for ; len(p) >= 8; p = p[8:] {
		w := (*[8]uint64)(p)
		a, b, c, d = a^w[0]^w[4], b^w[1]^w[5], c^w[2]^w[6], d^w[3]^w[7]
	}
	return a ^ b ^ c ^ d
}

func fastest(rows []peakRow, d time.Duration) float64 {
	for _, p := range rows {
		if !cpu.Has(p.needs) {
			continue
		}
		const turns = 1000
		best := 0.0
		for end := time.Now().Add(d); ; {
			t := time.Now()
			p.run(turns)
			best = max(best, float64(turns*p.flops)/time.Since(t).Seconds())
			if time.Now().After(end) {
				return best
			}
		}
	}
	panic("kernel: no portable row")
}

// peakSink keeps the portable loop alive.
var peakSink float32

func peakGo(turns int) {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	x, y := peakSink, peakSink
	for range turns {
		s0 += x * y
		s1 += x * y
		s2 += x * y
		s3 += x * y
		s4 += x * y
		s5 += x * y
		s6 += x * y
		s7 += x * y
	}
	peakSink = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7
}

var intPeakSink int32

func intPeakGo(turns int) {
	var s0, s1, s2, s3 int32
	x, y := intPeakSink, intPeakSink
	for range turns {
		s0 += x * y
		s1 += x * y
		s2 += x * y
		s3 += x * y
	}
	intPeakSink = s0 + s1 + s2 + s3
}
