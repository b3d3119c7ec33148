//go:build !noasm

package kernel

import "unsafe"

var (
	archDepthwise = both[windowLoop](
		"f32_6x32_avx512", onRows(depthwiseAVX512, depthwise3s1AVX512, depthwise3s2AVX512, depthwise5s1AVX512, depthwise5s2AVX512),
		"f32_6x16_avx2", onRows(depthwiseAVX2, depthwise3s1AVX2, depthwise3s2AVX2, depthwise5s1AVX2, depthwise5s2AVX2))
	archMaxPool = both[windowLoop]("f32_max6x32_avx512", onWindow(maxpoolAVX512), "f32_max6x16_avx2", onWindow(maxpoolAVX2))
	archSumPool = both[windowLoop]("f32_sum6x32_avx512", onWindow(sumpoolAVX512), "f32_sum6x16_avx2", onWindow(sumpoolAVX2))
)

func onWindow(f func(*byte)) windowLoop {
	return func(a *winArgs) { f((*byte)(unsafe.Pointer(a))) }
}

// onRows chooses by winArgs.rows; all sum in the same order.
func onRows(f ...func(*byte)) windowLoop {
	return func(a *winArgs) { f[a.rows]((*byte)(unsafe.Pointer(a))) }
}
