package kernel

import "unsafe"

// intWinogradInLoop transforms tiles of c channels of codes that lie in a row, with
// row and pixel bytes from one to the next: result (y, x) of tile i goes to dst from
// element i·pitch + (y·edge+x)·tap on, where there is room for c rounded up to whole
// registers. Assembly takes multiples of sixteen channels.
type intWinogradInLoop func(dst []int16, src []uint8, tiles, pitch, c, row, pixel, tap int)

// intWinogradOutLoop transforms sums of tiles in a row, with n columns each: sum (y,
// x) of column k of tile i is src[(y·edge+x)·tap+i·n+k], and result (y, x) goes to
// dst[y·row+(i·m+x)·n+k]. Assembly takes multiples of eight columns, with AVX-512 of
// sixteen.
type intWinogradOutLoop func(dst, src []int32, tiles, n, row, tap int)

// The transforms by edge of the output tile.
var (
	intWinogradIn4Loops  = append(archIntWinogradIn4, impl[intWinogradInLoop]{"s16_6x6_go", 0, intWinogradInGo(4, intIn4)})
	intWinogradOut4Loops = append(archIntWinogradOut4, impl[intWinogradOutLoop]{"s32_4x4_go", 0, intWinogradOutGo(4, intOut4, intNinth, [4]int{3, 2, 1, 1})})
	intWinogradIn2Loops  = append(archIntWinogradIn2, impl[intWinogradInLoop]{"s16_4x4_go", 0, intWinogradInGo(2, intIn2)})
	intWinogradOut2Loops = append(archIntWinogradOut2, impl[intWinogradOutLoop]{"s32_2x2_go", 0, intWinogradOutGo(2, intOut2, 1, [4]int{1, 1})})
)

func intWinogradLoops(m int) (intWinogradInLoop, intWinogradOutLoop) {
	if m == 4 {
		return pick(intWinogradIn4Loops), pick(intWinogradOut4Loops)
	}
	return pick(intWinogradIn2Loops), pick(intWinogradOut2Loops)
}

// shortTiles multiply pairs of words, two of the source by two of every column,
// in the place of quads of bytes. They leave sums modulo 2³².
var shortTiles = append(archShortTiles, intTile{
	name: "s16s16_4x4_go", panels: []panelKernel[intArgs]{{4, 4, shortTileGo}},
})

// sumsTiles read sums, at rows of the source, and finish them.
var sumsTiles = append(archSumsTiles, intTile{
	name: "s32_4x4_go", panels: []panelKernel[intArgs]{{4, 4, sumsTileGo}},
})

// shortTileGo is the portable tile of four columns.
func shortTileGo(m int, t *intArgs) {
	for tap := range t.taps {
		src, b, c := shorts(t.src[tap*t.srcTap:]), shorts(bytesOf(t.b[tap*t.bTap:])), ints(t.c[tap*(t.cTap+(t.all-1)*m*t.ldc):])
		for r := range m * t.all {
			*(*[4]int32)(c[r*t.ldc/4:]) = dotWords(src[t.rows[r]/2:][:2*t.segs[0].n], b)
		}
	}
}

// dotWords multiplies a line of words by four columns, pairs of words of each side
// by side.
func dotWords(x, b []int16) (sums [4]int32) {
	for len(x) > 0 {
		x0, x1 := int32(x[0]), int32(x[1])
		w := b[:8:8]
		sums[0] += x0*int32(w[0]) + x1*int32(w[1])
		sums[1] += x0*int32(w[2]) + x1*int32(w[3])
		sums[2] += x0*int32(w[4]) + x1*int32(w[5])
		sums[3] += x0*int32(w[6]) + x1*int32(w[7])
		x, b = x[2:], b[8:]
	}
	return sums
}

// sumsTileGo finishes four columns.
func sumsTileGo(m int, t *intArgs) {
	for r := range m * t.tiles {
		sums := (*[4]int32)(unsafe.Pointer(&t.src[t.rows[r]]))
		for j := range t.n {
			t.finish(r, j, t.start[j]+sums[j])
		}
	}
}
