package kernel

import (
	"math"
	"sync"
)

// ScaleShift brings columns of codes onto other grids: with
// y = code·Mul[c] + Add[c], clamped to Lo..Hi where Lo < Hi, codes are round(y) +
// Zero with ties to even, within 0..255. Product and sum are rounded one by one.
type ScaleShift struct {
	// Mul and Add have one finite value per column.
	Mul, Add []float32
	Lo, Hi   float32
	Zero     uint8
}

// scaleArgs is one call of a scaleCodesLoop, of at least one row. A code is
// round(min(y, hi)) + zero, not below least. Assembly reads it by offset
// (TestArgsLayout).
type scaleArgs struct {
	dst, src             []uint8
	mul, add             []float32
	rows, ldd, lds, cols int
	hi                   float32
	zero                 int32
	least                uint8
}

type scaleCodesLoop func(a *scaleArgs)

var (
	scaleCodesLoops = append(archScaleCodes, impl[scaleCodesLoop]{"u8_1_go", 0, scaleCodesGo})
	scaleArgsPool   = sync.Pool{New: func() any { return new(scaleArgs) }}
)

// Run writes rows of len(Mul) columns, ldd bytes apart, from rows lds bytes apart
// that they do not overlap.
func (s *ScaleShift) Run(dst, src []uint8, rows, ldd, lds int) {
	cols := len(s.Mul)
	if rows == 0 || cols == 0 {
		return
	}
	e := IntEpilogue{Zero: s.Zero, Lo: s.Lo, Hi: s.Hi}
	lo, hi := e.limits(storeCodes)
	a := scaleArgsPool.Get().(*scaleArgs)
	*a = scaleArgs{dst[:extent(rows, cols, ldd)], src[:extent(rows, cols, lds)], s.Mul, s.Add[:cols], rows, ldd, lds, cols,
		hi, int32(s.Zero), uint8(int32(math.RoundToEven(float64(lo))) + int32(s.Zero))}
	pick(scaleCodesLoops)(a)
	*a = scaleArgs{}
	scaleArgsPool.Put(a)
}

func scaleCodesGo(a *scaleArgs) {
	for r := range a.rows {
		d, s := a.dst[r*a.ldd:][:a.cols], a.src[r*a.lds:]
		for j := range d {
			y := min(float32(float32(s[j])*a.mul[j])+a.add[j], a.hi)
			y = max(y, -float32(a.zero)) // which stands for code 0
			d[j] = max(uint8(int32(math.RoundToEven(float64(y)))+a.zero), a.least)
		}
	}
}
