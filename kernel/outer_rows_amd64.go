//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archOuter = []outerTile{
	{name: "f32_12x32_avx512", needs: cpu.AVX512, panels: []panelKernel[outerArgs]{
		outerBy(8, outer8AVX2), outerBy(16, outer16AVX512), outerBy(24, outer24AVX512), outerBy(32, outer32AVX512)}},
	{name: "f32_6x16_avx2", needs: cpu.AVX2, panels: []panelKernel[outerArgs]{
		outerBy(8, outer8AVX2), outerBy(16, outer16AVX2)}},
}

// Tiles by height, from one row on.
var (
	outer32AVX512 = []func(*byte){outer1x32AVX512, outer2x32AVX512, outer3x32AVX512, outer4x32AVX512, outer5x32AVX512, outer6x32AVX512, outer7x32AVX512, outer8x32AVX512, outer9x32AVX512, outer10x32AVX512, outer11x32AVX512, outer12x32AVX512}
	outer24AVX512 = []func(*byte){outer1x24AVX512, outer2x24AVX512, outer3x24AVX512, outer4x24AVX512, outer5x24AVX512, outer6x24AVX512, outer7x24AVX512, outer8x24AVX512, outer9x24AVX512, outer10x24AVX512, outer11x24AVX512, outer12x24AVX512}
	outer16AVX512 = []func(*byte){outer1x16AVX512, outer2x16AVX512, outer3x16AVX512, outer4x16AVX512, outer5x16AVX512, outer6x16AVX512, outer7x16AVX512, outer8x16AVX512, outer9x16AVX512, outer10x16AVX512, outer11x16AVX512, outer12x16AVX512, outer13x16AVX512, outer14x16AVX512, outer15x16AVX512, outer16x16AVX512, outer17x16AVX512, outer18x16AVX512, outer19x16AVX512, outer20x16AVX512, outer21x16AVX512, outer22x16AVX512, outer23x16AVX512, outer24x16AVX512}
	outer16AVX2   = []func(*byte){outer1x16AVX2, outer2x16AVX2, outer3x16AVX2, outer4x16AVX2, outer5x16AVX2, outer6x16AVX2}
	outer8AVX2    = []func(*byte){outer1x8AVX2, outer2x8AVX2, outer3x8AVX2, outer4x8AVX2, outer5x8AVX2, outer6x8AVX2, outer7x8AVX2, outer8x8AVX2, outer9x8AVX2, outer10x8AVX2, outer11x8AVX2, outer12x8AVX2}
)

func outerBy(width int, f []func(*byte)) panelKernel[outerArgs] {
	return panelKernel[outerArgs]{width, len(f), func(m int, t *outerArgs) { f[m-1]((*byte)(unsafe.Pointer(t))) }}
}
