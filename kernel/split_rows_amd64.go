//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var archSplit = []splitRow{
	{"f32_64_avx512", cpu.AVX512, 6, onSplit(splitProductsAVX512), onSplit(splitSumsAVX512)},
	{"f32_64_avx2", cpu.AVX2, 3, onSplit(splitProductsAVX2), onSplit(splitSumsAVX2)},
}

func onSplit(f func(*byte)) func(*splitArgs) {
	return func(a *splitArgs) { f((*byte)(unsafe.Pointer(a))) }
}
