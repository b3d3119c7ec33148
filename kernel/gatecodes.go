package kernel

import (
	"math"
	"sync"
)

// Gate scales codes channel by channel, onto another grid: with
// y = (code - From)·Step·Mul[c]/Unit, clamped to Lo..Hi where Lo < Hi and rounded
// to an integer with ties to even, codes are y + Zero, within 0..255. Every
// operation is rounded as it is in a graph that decodes, multiplies and encodes:
// gates such as ½ make many results lie in the middle between codes.
type Gate struct {
	// Mul has a number for each channel of one or several pixels.
	Mul        []float32
	Lo, Hi     float32
	From, Zero uint8
	Step, Unit float32 // of the codes read and of those written
}

// Run writes the codes of pixels whose channels lie side by side; dst has the
// length of src and may be src. Few channels take long where Mul is that of
// one pixel.
func (g *Gate) Run(dst, src []uint8) {
	e := IntEpilogue{Zero: g.Zero, Lo: g.Lo, Hi: g.Hi}
	lo, hi := e.limits(storeCodes)
	loop, c := pick(gateCodesLoops), len(g.Mul)
	a := gateArgsPool.Get().(*gateArgs)
	for i := 0; i < len(src); i += c {
		j := min(i+c, len(src))
		*a = gateArgs{src[i:j], dst[i:j], g.Mul, lo, hi, int32(g.Zero), float32(g.From), g.Step, g.Unit}
		loop(a)
	}
	*a = gateArgs{}
	gateArgsPool.Put(a)
}

// gateArgs is one call of a gateCodesLoop. Assembly reads it by offset
// (TestArgsLayout).
type gateArgs struct {
	src, dst []uint8
	mul      []float32
	lo, hi   float32
	zero     int32
	from     float32
	step     float32
	unit     float32
}

type gateCodesLoop func(a *gateArgs)

var (
	gateCodesLoops = append(archGateCodes, impl[gateCodesLoop]{"u8_1_go", 0, func(a *gateArgs) { gateCodesFrom(0, a) }})
	gateArgsPool   = sync.Pool{New: func() any { return new(gateArgs) }}
)

// gateCodesFrom starts at element i, as others with its ending do.
func gateCodesFrom(i int, a *gateArgs) {
	for ; i < len(a.dst); i++ {
		y := float32(float32((float32(a.src[i])-a.from)*a.step)*a.mul[i]) / a.unit
		if !(y > a.lo) {
			y = a.lo
		}
		a.dst[i] = uint8(int32(math.RoundToEven(float64(min(y, a.hi)))) + a.zero)
	}
}
