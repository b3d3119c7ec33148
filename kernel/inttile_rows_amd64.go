//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archIntTiles = []intTile{
	{name: "u8s8_12x32_vnni", needs: cpu.AVX512 | cpu.VNNI, looks: true, pace: 0.52, panels: []panelKernel[intArgs]{
		intByHeight(16, dot16), intByHeight(32, dot32)}},
	{name: "u8s8_3x16_avx2", needs: cpu.AVX2, grouped: true, whole: true, pace: 0.88, panels: []panelKernel[intArgs]{
		intByHeight(8, grouped8), intByHeight(16, grouped16)}},
}

var archIntDepthTiles = []intTile{
	{name: "u8s16_12x16_vnni", needs: cpu.AVX512 | cpu.VNNI, looks: true, form: formChannels, panels: []panelKernel[intArgs]{intByHeight(16, channels16)}},
	{name: "u8s16_12x8_avx2", needs: cpu.AVX2, whole: true, form: formChannels, panels: []panelKernel[intArgs]{intByHeight(8, channels8)}},
}

// Integer tiles by height, from one row on.
var (
	channels16 = []func(*byte){inttile1x16ChannelsAVX512, inttile2x16ChannelsAVX512, inttile3x16ChannelsAVX512, inttile4x16ChannelsAVX512, inttile5x16ChannelsAVX512, inttile6x16ChannelsAVX512, inttile7x16ChannelsAVX512, inttile8x16ChannelsAVX512, inttile9x16ChannelsAVX512, inttile10x16ChannelsAVX512, inttile11x16ChannelsAVX512, inttile12x16ChannelsAVX512}
	channels8  = []func(*byte){inttile1x8ChannelsAVX2, inttile2x8ChannelsAVX2, inttile3x8ChannelsAVX2, inttile4x8ChannelsAVX2, inttile5x8ChannelsAVX2, inttile6x8ChannelsAVX2, inttile7x8ChannelsAVX2, inttile8x8ChannelsAVX2, inttile9x8ChannelsAVX2, inttile10x8ChannelsAVX2, inttile11x8ChannelsAVX2, inttile12x8ChannelsAVX2}
	dot16      = []func(*byte){inttile1x16VNNIAVX512, inttile2x16VNNIAVX512, inttile3x16VNNIAVX512, inttile4x16VNNIAVX512, inttile5x16VNNIAVX512, inttile6x16VNNIAVX512, inttile7x16VNNIAVX512, inttile8x16VNNIAVX512, inttile9x16VNNIAVX512, inttile10x16VNNIAVX512, inttile11x16VNNIAVX512, inttile12x16VNNIAVX512}
	dot32      = []func(*byte){inttile1x32VNNIAVX512, inttile2x32VNNIAVX512, inttile3x32VNNIAVX512, inttile4x32VNNIAVX512, inttile5x32VNNIAVX512, inttile6x32VNNIAVX512, inttile7x32VNNIAVX512, inttile8x32VNNIAVX512, inttile9x32VNNIAVX512, inttile10x32VNNIAVX512, inttile11x32VNNIAVX512, inttile12x32VNNIAVX512}
	grouped8   = []func(*byte){inttile1x8GroupedAVX2, inttile2x8GroupedAVX2, inttile3x8GroupedAVX2, inttile4x8GroupedAVX2, inttile5x8GroupedAVX2, inttile6x8GroupedAVX2}
	grouped16  = []func(*byte){inttile1x16GroupedAVX2, inttile2x16GroupedAVX2, inttile3x16GroupedAVX2}
)

func intByHeight(width int, f []func(*byte)) panelKernel[intArgs] {
	return panelKernel[intArgs]{width, len(f), func(m int, t *intArgs) { f[m-1]((*byte)(unsafe.Pointer(t))) }}
}
