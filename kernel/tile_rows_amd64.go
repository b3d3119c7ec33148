//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archTiles = []tile{
	{name: "f32_12x32_avx512", needs: cpu.AVX512, mr: 12, nr: 32, mrNarrow: 12, kBlock: 512, wide: byHeight(wide512), narrow: byHeight(narrow512)},
	{name: "f32_6x16_avx2", needs: cpu.AVX2, mr: 6, nr: 16, mrNarrow: 12, kBlock: 256, wide: byHeight(wide2), narrow: byHeight(narrow2)},
}

// Tiles by height, from one row on.
var (
	wide512   = []func(*byte){tile1x32AVX512, tile2x32AVX512, tile3x32AVX512, tile4x32AVX512, tile5x32AVX512, tile6x32AVX512, tile7x32AVX512, tile8x32AVX512, tile9x32AVX512, tile10x32AVX512, tile11x32AVX512, tile12x32AVX512}
	narrow512 = []func(*byte){tile1x16AVX512, tile2x16AVX512, tile3x16AVX512, tile4x16AVX512, tile5x16AVX512, tile6x16AVX512, tile7x16AVX512, tile8x16AVX512, tile9x16AVX512, tile10x16AVX512, tile11x16AVX512, tile12x16AVX512}
	wide2     = []func(*byte){tile1x16AVX2, tile2x16AVX2, tile3x16AVX2, tile4x16AVX2, tile5x16AVX2, tile6x16AVX2}
	narrow2   = []func(*byte){tile1x8AVX2, tile2x8AVX2, tile3x8AVX2, tile4x8AVX2, tile5x8AVX2, tile6x8AVX2, tile7x8AVX2, tile8x8AVX2, tile9x8AVX2, tile10x8AVX2, tile11x8AVX2, tile12x8AVX2}
)

func byHeight(f []func(*byte)) func(int, *tileArgs) {
	return func(m int, t *tileArgs) { f[m-1]((*byte)(unsafe.Pointer(t))) }
}
