package kernel

import (
	"bytes"
	"math"
	"testing"

	"pare/internal/guard"
)

// TestScaleCodes compares all rows with the formula, gaps between rows included.
func TestScaleCodes(t *testing.T) {
	eachImpl(t, "scalecodes", scaleCodesLoops, func(t *testing.T, run scaleCodesLoop) {
		r := seeded(21)
		for _, n := range lengths() {
			ldd, lds, rows := n+r.IntN(3), n+r.IntN(3), 1+r.IntN(4)
			a := scaleArgs{dst: guard.Tail[uint8](t, extent(rows, n, ldd)), src: tailBytes(t, r, extent(rows, n, lds)),
				mul: tail(t, r, n, 1.5, false), add: tail(t, r, n, 100, false), rows: rows, ldd: ldd, lds: lds, cols: n,
				hi: 90.5, zero: int32(r.IntN(100)), least: uint8(r.IntN(50))}
			want := bytes.Clone(a.dst)
			for i := range rows * n {
				at, c := i/n*ldd+i%n, i%n
				y := float32(float64(float32(float64(a.src[i/n*lds+c])*float64(a.mul[c]))) + float64(a.add[c]))
				q := math.RoundToEven(float64(min(y, a.hi))) + float64(a.zero)
				want[at] = uint8(max(q, float64(a.least)))
			}
			if run(&a); !bytes.Equal(a.dst, want) {
				t.Fatalf("%d columns, %d rows: %d, want %d", n, rows, a.dst, want)
			}
		}
	})
}

// TestScaleShift clamps and keeps codes within a byte.
func TestScaleShift(t *testing.T) {
	s := ScaleShift{Mul: []float32{1, -2, 1e30, 0.5}, Add: []float32{0.5, 300, 0, 1.25}, Zero: 10, Lo: -4, Hi: 1000}
	dst := make([]uint8, 9)
	s.Run(dst, []uint8{3, 200, 9, 4, 1, 2, 3, 0}, 2, 5, 4)
	// Ties go to even: 3.5 to 4, 1.5 to 2.
	if want := []uint8{14, 6, 255, 13, 0, 12, 255, 255, 11}; !bytes.Equal(dst, want) {
		t.Errorf("codes %d, want %d", dst, want)
	}
}
