//go:build !noasm

package kernel

import "unsafe"

var archExpand = both[expandLoop]("f32_16_avx512", expandBy(expandAVX512), "f32_16_avx2", expandBy(expandAVX2))

func expandBy(f func(*byte)) expandLoop {
	return func(a *expandArgs) { f((*byte)(unsafe.Pointer(a))) }
}
