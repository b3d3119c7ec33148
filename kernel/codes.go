package kernel

import "math"

// Term is codes times a multiplier.
type Term struct {
	Codes []uint8
	Mul   float32
}

// Sum is a sum of codes on another grid: with y = x.Mul·code + y.Mul·code +
// Shift, clamped to Lo..Hi where Lo < Hi and rounded to an integer with ties to
// even, codes are y + Zero, within 0..255. Products and sums are rounded one by
// one. Multipliers and shift are finite.
type Sum struct {
	Shift, Lo, Hi float32
	Zero          uint8
	// Steps, unless nil, makes the codes of y; Zero is not used then.
	Steps *Steps
}

// AddCodes writes the sum of codes of two grids. Slices have the length of dst,
// which may be one of them.
func AddCodes(dst []uint8, x, y Term, s Sum) {
	if s.Steps != nil {
		addSteps(dst, x, y, s)
		return
	}
	e := IntEpilogue{Zero: s.Zero, Lo: s.Lo, Hi: s.Hi}
	lo, hi := e.limits(storeCodes)
	a := addArgsPool.Get().(*addArgs)
	*a = addArgs{x.Codes[:len(dst)], y.Codes[:len(dst)], dst, x.Mul, y.Mul, s.Shift, lo, hi, int32(s.Zero)}
	pick(addCodesLoops)(a)
	*a = addArgs{}
	addArgsPool.Put(a)
}

// addArgs is one call of an addCodesLoop. Assembly reads it by offset
// (TestArgsLayout).
type addArgs struct {
	x, y, dst                 []uint8
	mulX, mulY, shift, lo, hi float32
	zero                      int32
}

type (
	addCodesLoop func(a *addArgs)
	// maxCodesLoop raises every element of dst to that of src.
	maxCodesLoop func(dst, src []uint8)
)

// All rows of these tables give the same bytes.
var (
	addCodesLoops = append(archAddCodes, impl[addCodesLoop]{"u8_1_go", 0, func(a *addArgs) { addCodesFrom(0, a) }})
	maxCodesLoops = append(archMaxCodes, impl[maxCodesLoop]{"u8_1_go", 0, func(dst, src []uint8) { maxCodesFrom(0, dst, src) }})
)

// addCodesFrom starts at element i, as others with its ending do.
func addCodesFrom(i int, a *addArgs) {
	for ; i < len(a.dst); i++ {
		y := float32(float32(a.x[i])*a.mulX) + float32(float32(a.y[i])*a.mulY)
		if y += a.shift; !(y > a.lo) {
			y = a.lo
		}
		a.dst[i] = uint8(int32(math.RoundToEven(float64(min(y, a.hi)))) + a.zero)
	}
}

func maxCodesFrom(i int, dst, src []uint8) {
	for ; i < len(dst); i++ {
		dst[i] = max(dst[i], src[i])
	}
}
