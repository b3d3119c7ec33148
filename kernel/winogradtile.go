package kernel

import "sync"

// winogradInLoop transforms one tile of c channels of the source, with row and
// pixel elements from one to the next: result (y, x) of edge×edge goes to dst from element
// (y·edge+x)·tap on, where there is room for c rounded up to whole registers.
type winogradInLoop func(dst, src []float32, c, row, pixel, tap int)

// winogradOutLoop transforms one tile of sums.
type winogradOutLoop func(a *winogradOut)

// winogradOut is one call of an output transform: sum (y, x) of channel k is
// src[(y·edge+x)·tap+k]; h×w pixels of n channels are stored, after bias,
// residual and clamp as in tileArgs. Assembly reads this struct by offset
// (TestArgsLayout).
type winogradOut struct {
	src, dst, res, bias []float32
	tap                 int
	row, pixel          int // of dst
	resRow, resPixel    int
	h, w, n             int
	lo, hi              float32
}

// The transforms by edge of the output tile.
var (
	winogradIn4Loops  = append(archWinogradIn4, impl[winogradInLoop]{"f32_6x6_go", 0, winogradInGo(6, 6, lineIn4)})
	winogradOut4Loops = append(archWinogradOut4, impl[winogradOutLoop]{"f32_4x4_go", 0, winogradOutGo(4, lineOut4)})
	winogradIn2Loops  = append(archWinogradIn2, impl[winogradInLoop]{"f32_4x4_go", 0, winogradInGo(4, 4, lineIn2)})
	winogradOut2Loops = append(archWinogradOut2, impl[winogradOutLoop]{"f32_2x2_go", 0, winogradOutGo(2, lineOut2)})
)

// The transforms of gradients: of the result's, from m×m values to those of the input
// tile, and of sums of products to those of filters, which are 3×3.
var (
	winogradSpread4Loops = append(archWinogradSpread4, impl[winogradInLoop]{"f32_6x6_go", 0, winogradInGo(4, 6, lineSpread4)})
	winogradGather4Loops = append(archWinogradGather4, impl[winogradInLoop]{"f32_3x3_go", 0, winogradInGo(6, 3, lineGather4)})
	winogradSpread2Loops = append(archWinogradSpread2, impl[winogradInLoop]{"f32_4x4_go", 0, winogradInGo(2, 4, lineSpread2)})
	winogradGather2Loops = append(archWinogradGather2, impl[winogradInLoop]{"f32_3x3_go", 0, winogradInGo(4, 3, lineGather2)})
)

func winogradGradLoops(m int) (spread, gather winogradInLoop) {
	if m == 4 {
		return pick(winogradSpread4Loops), pick(winogradGather4Loops)
	}
	return pick(winogradSpread2Loops), pick(winogradGather2Loops)
}

func winogradLoops(m int) (winogradInLoop, winogradOutLoop) {
	if m == 4 {
		return pick(winogradIn4Loops), pick(winogradOut4Loops)
	}
	return pick(winogradIn2Loops), pick(winogradOut2Loops)
}

var winogradPool = sync.Pool{New: func() any { return new(winogradOut) }}
