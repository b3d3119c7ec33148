//go:build !noasm

package kernel

import "pare/internal/cpu"

var (
	archShortTiles = []intTile{
		{name: "s16s16_12x32_vnni", needs: cpu.AVX512 | cpu.VNNI, panels: []panelKernel[intArgs]{intByHeight(16, short16x), intByHeight(32, short32x)}},
		{name: "s16s16_6x16_avx2", needs: cpu.AVX2, panels: []panelKernel[intArgs]{intByHeight(8, short8), intByHeight(16, short16)}},
	}
	archSumsTiles = []intTile{
		{name: "s32_8x32_avx512", needs: cpu.AVX512 | cpu.VNNI, looks: true, panels: []panelKernel[intArgs]{intByHeight(16, sums16x), intByHeight(32, sums32x)}},
		{name: "s32_6x16_avx2", needs: cpu.AVX2, whole: true, panels: []panelKernel[intArgs]{intByHeight(8, sums8), intByHeight(16, sums16)}},
	}
	archIntWinogradIn4  = []impl[intWinogradInLoop]{{"s16_6x6_avx512", cpu.AVX512, intWinogradIn4AVX512}, {"s16_6x6_avx2", cpu.AVX2, intWinogradIn4AVX2}}
	archIntWinogradIn2  = []impl[intWinogradInLoop]{{"s16_4x4_avx512", cpu.AVX512, intWinogradIn2AVX512}, {"s16_4x4_avx2", cpu.AVX2, intWinogradIn2AVX2}}
	archIntWinogradOut4 = []impl[intWinogradOutLoop]{{"s32_4x4_avx512", cpu.AVX512 | cpu.VNNI, intWinogradOut4AVX512}, {"s32_4x4_avx2", cpu.AVX2, intWinogradOut4AVX2}}
	archIntWinogradOut2 = []impl[intWinogradOutLoop]{{"s32_2x2_avx512", cpu.AVX512 | cpu.VNNI, intWinogradOut2AVX512}, {"s32_2x2_avx2", cpu.AVX2, intWinogradOut2AVX2}}
)

// Tiles by height, from one row on.
var (
	short32x = []func(*byte){inttile1x32ShortAVX512, inttile2x32ShortAVX512, inttile3x32ShortAVX512, inttile4x32ShortAVX512, inttile5x32ShortAVX512, inttile6x32ShortAVX512, inttile7x32ShortAVX512, inttile8x32ShortAVX512, inttile9x32ShortAVX512, inttile10x32ShortAVX512, inttile11x32ShortAVX512, inttile12x32ShortAVX512}
	short16x = []func(*byte){inttile1x16ShortAVX512, inttile2x16ShortAVX512, inttile3x16ShortAVX512, inttile4x16ShortAVX512, inttile5x16ShortAVX512, inttile6x16ShortAVX512, inttile7x16ShortAVX512, inttile8x16ShortAVX512, inttile9x16ShortAVX512, inttile10x16ShortAVX512, inttile11x16ShortAVX512, inttile12x16ShortAVX512}
	short16  = []func(*byte){inttile1x16ShortAVX2, inttile2x16ShortAVX2, inttile3x16ShortAVX2, inttile4x16ShortAVX2, inttile5x16ShortAVX2, inttile6x16ShortAVX2}
	short8   = []func(*byte){inttile1x8ShortAVX2, inttile2x8ShortAVX2, inttile3x8ShortAVX2, inttile4x8ShortAVX2, inttile5x8ShortAVX2, inttile6x8ShortAVX2}
	sums32x  = []func(*byte){inttile1x32SumsAVX512, inttile2x32SumsAVX512, inttile3x32SumsAVX512, inttile4x32SumsAVX512, inttile5x32SumsAVX512, inttile6x32SumsAVX512, inttile7x32SumsAVX512, inttile8x32SumsAVX512}
	sums16x  = []func(*byte){inttile1x16SumsAVX512, inttile2x16SumsAVX512, inttile3x16SumsAVX512, inttile4x16SumsAVX512, inttile5x16SumsAVX512, inttile6x16SumsAVX512, inttile7x16SumsAVX512, inttile8x16SumsAVX512}
	sums16   = []func(*byte){inttile1x16SumsAVX2, inttile2x16SumsAVX2, inttile3x16SumsAVX2, inttile4x16SumsAVX2, inttile5x16SumsAVX2, inttile6x16SumsAVX2}
	sums8    = []func(*byte){inttile1x8SumsAVX2, inttile2x8SumsAVX2, inttile3x8SumsAVX2, inttile4x8SumsAVX2, inttile5x8SumsAVX2, inttile6x8SumsAVX2}
)
