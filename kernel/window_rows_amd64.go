//go:build !noasm

package kernel

import "unsafe"

var (
	archDepthwise = both[windowLoop](
		"f32_6x32_avx512", onRows(depthwiseAVX512, depthwiseRows3AVX512, depthwiseRows5AVX512),
		"f32_6x16_avx2", onRows(depthwiseAVX2, depthwiseRows3AVX2, depthwiseRows5AVX2))
	archMaxPool = both[windowLoop]("f32_max6x32_avx512", onWindow(maxpoolAVX512), "f32_max6x16_avx2", onWindow(maxpoolAVX2))
	archSumPool = both[windowLoop]("f32_sum6x32_avx512", onWindow(sumpoolAVX512), "f32_sum6x16_avx2", onWindow(sumpoolAVX2))
)

func onWindow(f func(*byte)) windowLoop {
	return func(a *winArgs) { f((*byte)(unsafe.Pointer(a))) }
}

// onRows chooses by the number of neighbouring taps; all sum in one order.
func onRows(other, three, five func(*byte)) windowLoop {
	f := [6]func(*byte){0: other, 3: three, 5: five}
	return func(a *winArgs) { f[a.near]((*byte)(unsafe.Pointer(a))) }
}
