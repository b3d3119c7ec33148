//go:build !noasm

package kernel

import "unsafe"

var (
	archQuantize  = neon[quantizeLoop]("f32u8_16_neon", onScales(quantizeNEON))
	archFake      = neon[fakeLoop]("f32f32_16_neon", onScales(fakeNEON))
	archDequantU8 = neon[dequantizeLoop]("u8f32_16_neon", onScales(dequantU8NEON))
	archDequantS8 = neon[dequantizeLoop]("s8f32_16_neon", onScales(dequantS8NEON))
)

func onScales[D, S any](f func(dst []D, src []S, c *byte)) func(dst []D, src []S, c *Scales) {
	return func(dst []D, src []S, c *Scales) { f(dst, src, (*byte)(unsafe.Pointer(c))) }
}
