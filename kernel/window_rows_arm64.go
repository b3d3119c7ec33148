//go:build !noasm

package kernel

import "unsafe"

var (
	archDepthwise = neon[windowLoop]("f32_4x16_neon", onWindow(depthwiseNEON))
	archMaxPool   = neon[windowLoop]("f32_max4x16_neon", onWindow(maxpoolNEON))
	archSumPool   = neon[windowLoop]("f32_sum4x16_neon", onWindow(sumpoolNEON))
)

func onWindow(f func(*byte)) windowLoop {
	return func(a *winArgs) { f((*byte)(unsafe.Pointer(a))) }
}
