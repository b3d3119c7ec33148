//go:build !noasm

package kernel

import "unsafe"

var (
	archDepthwise = both[windowLoop]("f32_6x32_avx512", onWindow(depthwiseAVX512), "f32_6x16_avx2", onWindow(depthwiseAVX2))
	archMaxPool   = both[windowLoop]("f32_max6x32_avx512", onWindow(maxpoolAVX512), "f32_max6x16_avx2", onWindow(maxpoolAVX2))
	archSumPool   = both[windowLoop]("f32_sum6x32_avx512", onWindow(sumpoolAVX512), "f32_sum6x16_avx2", onWindow(sumpoolAVX2))
)

func onWindow(f func(*byte)) windowLoop {
	return func(a *winArgs) { f((*byte)(unsafe.Pointer(a))) }
}
