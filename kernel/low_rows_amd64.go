//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archLowTiles = []lowTile{
	{name: "u8c_6x32_vnni", needs: cpu.AVX512 | cpu.VNNI, lanes: 16, mr: 6, few: 4, sum: lowBy(low512, low512),
		worth: func(a *worthArgs) { lowWorthAVX512((*byte)(unsafe.Pointer(a))) },
		end:   func(a *intArgs) { inttile1x32VNNIAVX512((*byte)(unsafe.Pointer(a))) }, looks: true},
	{name: "u8c_3x16_avx2", needs: cpu.AVX2, lanes: 8, mr: 3, few: 2, pairs: true, sum: lowBy(low2, low2Each),
		worth: func(a *worthArgs) { lowWorthAVX2((*byte)(unsafe.Pointer(a))) },
		end:   func(a *intArgs) { inttile1x16GroupedAVX2((*byte)(unsafe.Pointer(a))) }},
}

// Low tiles by bits and height, from one row on.
var (
	low512 = map[int][]func(*byte){
		2: {low2x1AVX512, low2x2AVX512, low2x3AVX512, low2x4AVX512, low2x5AVX512, low2x6AVX512},
		4: {low4x1AVX512, low4x2AVX512, low4x3AVX512, low4x4AVX512, low4x5AVX512, low4x6AVX512},
		8: {low8x1AVX512, low8x2AVX512, low8x3AVX512, low8x4AVX512, low8x5AVX512, low8x6AVX512},
	}
	low2 = map[int][]func(*byte){
		2: {low2x1AVX2, low2x2AVX2, low2x3AVX2},
		4: {low4x1AVX2, low4x2AVX2, low4x3AVX2},
	}
	low2Each = map[int][]func(*byte){
		2: {low2x1EachAVX2, low2x2EachAVX2, low2x3EachAVX2},
		4: {low4x1EachAVX2, low4x2EachAVX2, low4x3EachAVX2},
		8: {low8x1EachAVX2, low8x2EachAVX2, low8x3EachAVX2},
	}
)

// worthTurns, which no levels of 8 bits reach, is how many lines 16 bits must hold for kernels that widen sums after
// so many to win over those that do it line by line.
const worthTurns = 4

func lowBy(f, each map[int][]func(*byte)) func(bits, m int, a *lowArgs) {
	return func(bits, m int, a *lowArgs) {
		if a.flush < worthTurns {
			each[bits][m-1]((*byte)(unsafe.Pointer(a)))
			return
		}
		f[bits][m-1]((*byte)(unsafe.Pointer(a)))
	}
}
