//go:build !noasm

package kernel

import "unsafe"

var (
	archQuantize  = both[quantizeLoop]("f32u8_64_avx512", onScales(quantizeAVX512), "f32u8_32_avx2", onOctets(quantizeAVX2, quantizeFrom))
	archFake      = both[fakeLoop]("f32f32_64_avx512", onScales(fakeAVX512), "f32f32_32_avx2", onScales(fakeAVX2))
	archDequantU8 = both[dequantizeLoop]("u8f32_64_avx512", onScales(dequantU8AVX512), "u8f32_32_avx2", onOctets(dequantU8AVX2, dequantizeU8From))
	archDequantS8 = both[dequantizeLoop]("s8f32_64_avx512", onScales(dequantS8AVX512), "s8f32_32_avx2", onOctets(dequantS8AVX2, dequantizeS8From))
)

func onScales[D, S any](f func(dst []D, src []S, c *byte)) func(dst []D, src []S, c *Scales) {
	return func(dst []D, src []S, c *Scales) { f(dst, src, (*byte)(unsafe.Pointer(c))) }
}

// onOctets completes routines that do whole groups of eight: AVX2 cannot mask
// bytes.
func onOctets[D, S any](f func(dst []D, src []S, c *byte), rest func(i int, dst []D, src []S, c *Scales)) func(dst []D, src []S, c *Scales) {
	return func(dst []D, src []S, c *Scales) {
		f(dst, src, (*byte)(unsafe.Pointer(c)))
		rest(len(dst)&^7, dst, src, c)
	}
}
