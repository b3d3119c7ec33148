package kernel

import (
	"fmt"
	"testing"

	"pare/internal/cpu"
	"pare/internal/guard"
)

// TestSplitLoops compares every row with the portable one, whose sums round
// otherwise: chunks of all sizes, outputs with no terms and with many, on top of what
// is there or not.
func TestSplitLoops(t *testing.T) {
	for i := range splitRows[:len(splitRows)-1] {
		row := &splitRows[i]
		t.Run(row.name, func(t *testing.T) {
			if !cpu.Has(row.needs) {
				t.Skipf("SKIPPED: this machine, or PARE_CPU, has no %v", row.needs)
			}
			for _, width := range []int{16, 32, 64} {
				for _, first := range []bool{true, false} {
					t.Run(fmt.Sprint(width, first), func(t *testing.T) { testSplitLoops(t, row, width, first) })
				}
			}
		})
	}
}

func testSplitLoops(t *testing.T, row *splitRow, width int, first bool) {
	const channels, pitch, outputs = 5, 150, 7
	r := seeded(uint64(width))
	a := splitArgs{taps: []int32{0, 1, 2, 30, 31, 32, 60, 61, 62}, pitch: pitch, width: width, first: first,
		src: tail(t, r, (channels-1)*pitch+62+width, 1, false)}
	kernels, weights := 0, 0
	for i := range 3 * row.kernels {
		c := splitChunk{int32(r.IntN(channels)), int32(i%row.kernels + 1), 0, int32(len(a.taps))}
		if r.IntN(3) == 0 {
			c.tap, c.taps = int32(r.IntN(9)), 1
		}
		a.chunks = append(a.chunks, c)
		kernels, weights = kernels+int(c.n), weights+int(c.n*c.taps)
	}
	a.weights = tail(t, r, weights, 1, false)
	a.starts = []int32{0}
	for o := range outputs {
		for range o * o % 9 {
			a.terms = append(a.terms, splitPart{int32(r.IntN(kernels) * splitStrip), r.Float32() - 0.5})
		}
		a.starts = append(a.starts, int32(len(a.terms)))
	}
	room := func(n int) []float32 { return guard.Tail[float32](t, (n-1)*splitStrip+width) }
	start := tail(t, r, len(room(outputs)), 1, false)
	run := func(row *splitRow) (z, y []float32) {
		b := a
		b.z, b.y = room(kernels), room(outputs)
		copy(b.y, start)
		z, y = b.z, b.y
		row.products(&b)
		row.sums(&b)
		return z, y
	}
	z, y := run(row)
	wantZ, wantY := run(&splitRows[len(splitRows)-1])
	for i := range z {
		if i%splitStrip < width {
			within(t, i, z[i], wantZ[i], 1e-5)
		}
	}
	for i := range y {
		if i%splitStrip < width {
			within(t, i, y[i], wantY[i], 1e-5)
		}
	}
}
