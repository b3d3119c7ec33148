//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archIntTiles = []intTile{
	{name: "u8s8_6x16_dot", needs: cpu.NEON | cpu.DotProd, whole: true, lowered: 128, pace: 0.02, panels: []panelKernel[intArgs]{
		intByHeight(8, dot8), intByHeight(16, dot16)}},
	{name: "u8s8_4x16_neon", needs: cpu.NEON, whole: true, form: formPlanes, pace: 0.1, panels: []panelKernel[intArgs]{
		intByHeight(8, planes8), intByHeight(16, planes16)}},
}

var archIntDepthTiles = []intTile{
	{name: "u8s16_12x8_neon", needs: cpu.NEON, whole: true, form: formChannels, panels: []panelKernel[intArgs]{intByHeight(8, channels8)}},
}

// Integer tiles by height, from one row on.
var (
	dot16     = []func(*byte){inttile1x16DotNEON, inttile2x16DotNEON, inttile3x16DotNEON, inttile4x16DotNEON, inttile5x16DotNEON, inttile6x16DotNEON}
	dot8      = []func(*byte){inttile1x8DotNEON, inttile2x8DotNEON, inttile3x8DotNEON, inttile4x8DotNEON, inttile5x8DotNEON, inttile6x8DotNEON, inttile7x8DotNEON, inttile8x8DotNEON}
	planes16  = []func(*byte){inttile1x16PlanesNEON, inttile2x16PlanesNEON, inttile3x16PlanesNEON, inttile4x16PlanesNEON}
	planes8   = []func(*byte){inttile1x8PlanesNEON, inttile2x8PlanesNEON, inttile3x8PlanesNEON, inttile4x8PlanesNEON, inttile5x8PlanesNEON, inttile6x8PlanesNEON, inttile7x8PlanesNEON, inttile8x8PlanesNEON}
	channels8 = []func(*byte){inttile1x8ChannelsNEON, inttile2x8ChannelsNEON, inttile3x8ChannelsNEON, inttile4x8ChannelsNEON, inttile5x8ChannelsNEON, inttile6x8ChannelsNEON, inttile7x8ChannelsNEON, inttile8x8ChannelsNEON, inttile9x8ChannelsNEON, inttile10x8ChannelsNEON, inttile11x8ChannelsNEON, inttile12x8ChannelsNEON}
)

func intByHeight(width int, f []func(*byte)) panelKernel[intArgs] {
	return panelKernel[intArgs]{width, len(f), func(m int, t *intArgs) { f[m-1]((*byte)(unsafe.Pointer(t))) }}
}
