//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archTiles = []tile{
	{name: "f32_12x32_avx512", needs: cpu.AVX512, nr: 32, kBlock: 512, panels: []panelKernel[tileArgs]{
		byHeight(8, narrow2), byHeight(16, narrow512), byHeight(24, mixed512), byHeight(32, wide512)}},
	{name: "f32_6x16_avx2", needs: cpu.AVX2, nr: 16, kBlock: 256, panels: []panelKernel[tileArgs]{
		byHeight(8, narrow2), byHeight(16, wide2)}},
}

// Tiles by height, from one row on. Eight columns are as many as AVX2 takes:
// half registers cost no more than whole ones, and less on some processors.
var (
	wide512   = []func(*byte){tile1x32AVX512, tile2x32AVX512, tile3x32AVX512, tile4x32AVX512, tile5x32AVX512, tile6x32AVX512, tile7x32AVX512, tile8x32AVX512, tile9x32AVX512, tile10x32AVX512, tile11x32AVX512, tile12x32AVX512}
	mixed512  = []func(*byte){tile1x24AVX512, tile2x24AVX512, tile3x24AVX512, tile4x24AVX512, tile5x24AVX512, tile6x24AVX512, tile7x24AVX512, tile8x24AVX512, tile9x24AVX512, tile10x24AVX512, tile11x24AVX512, tile12x24AVX512}
	narrow512 = []func(*byte){tile1x16AVX512, tile2x16AVX512, tile3x16AVX512, tile4x16AVX512, tile5x16AVX512, tile6x16AVX512, tile7x16AVX512, tile8x16AVX512, tile9x16AVX512, tile10x16AVX512, tile11x16AVX512, tile12x16AVX512}
	wide2     = []func(*byte){tile1x16AVX2, tile2x16AVX2, tile3x16AVX2, tile4x16AVX2, tile5x16AVX2, tile6x16AVX2}
	narrow2   = []func(*byte){tile1x8AVX2, tile2x8AVX2, tile3x8AVX2, tile4x8AVX2, tile5x8AVX2, tile6x8AVX2, tile7x8AVX2, tile8x8AVX2, tile9x8AVX2, tile10x8AVX2, tile11x8AVX2, tile12x8AVX2}
)

func byHeight(width int, f []func(*byte)) panelKernel[tileArgs] {
	return panelKernel[tileArgs]{width, len(f), func(m int, t *tileArgs) { f[m-1]((*byte)(unsafe.Pointer(t))) }}
}
