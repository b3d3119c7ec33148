package kernel

import (
	"math"
	"testing"
)

// TestDepthGradLoops compares every block of taps with the portable row, for all rests
// of channels.
func TestDepthGradLoops(t *testing.T) {
	eachImpl(t, "depthgrad", depthGradLoops, func(t *testing.T, run depthGradLoop) {
		for cols, most := range mostTapRows {
			for rows := 1; rows <= most; rows++ {
				for _, n := range []int{1, 3, 7, 8, 9, 15, 16, 17, 31, 40} {
					testDepthGrad(t, run, rows, cols, n)
				}
			}
		}
	})
}

func testDepthGrad(t *testing.T, run depthGradLoop, rows, cols, n int) {
	r := seeded(uint64(n))
	pixel, line := n+2, (cols+7)*(n+2)+1
	a := depthGradArgs{
		x:     tail(t, r, (rows+1)*line+(cols+5)*pixel+n, 1, false),
		dy:    tail(t, r, 11*(n+1)+n, 1, false),
		lines: []outerLine{{0, 0}, {int32(line), int32(6 * (n + 1))}},
		xStep: pixel, dyStep: n + 1, px: 6, xRow: line, xCol: pixel, tapRow: cols*n + 3, tapCol: n, n: n,
	}
	for _, a.add = range []bool{false, true} {
		got := tail(t, r, (rows-1)*a.tapRow+cols*n, 1, false)
		want := append([]float32(nil), got...)
		b := a
		a.c, b.c = got, want
		run(rows, cols, &a)
		depthGradGo(rows, cols, &b)
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); !(d < 2e-6) {
				t.Fatalf("%dx%d taps, %d channels, add %v: element %d is %v, want %v", rows, cols, n, a.add, i, got[i], want[i])
			}
		}
	}
}
