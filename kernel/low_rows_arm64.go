//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archLowTiles = []lowTile{
	{name: "u8c_3x16_dot", needs: cpu.NEON | cpu.DotProd, lanes: 8, mr: 3, few: 2,
		sum:   func(bits, m int, a *lowArgs) { lowDot[bits][m-1]((*byte)(unsafe.Pointer(a))) },
		worth: func(a *worthArgs) { lowWorthNEON((*byte)(unsafe.Pointer(a))) },
		end:   func(a *intArgs) { inttile1x16DotNEON((*byte)(unsafe.Pointer(a))) }},
}

// lowDot are low tiles by bits and height, from one row on.
var lowDot = map[int][]func(*byte){
	2: {low2x1DotNEON, low2x2DotNEON, low2x3DotNEON},
	4: {low4x1DotNEON, low4x2DotNEON, low4x3DotNEON},
	8: {low8x1DotNEON, low8x2DotNEON, low8x3DotNEON},
}
