package kernel

import (
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
