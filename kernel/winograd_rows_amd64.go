//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var (
	archWinogradIn4  = []impl[winogradInLoop]{{"f32_6x6_avx512", cpu.AVX512, winogradIn4AVX512}, {"f32_6x6_avx2", cpu.AVX2, winogradIn4AVX2}}
	archWinogradIn2  = []impl[winogradInLoop]{{"f32_4x4_avx512", cpu.AVX512, winogradIn2AVX512}, {"f32_4x4_avx2", cpu.AVX2, winogradIn2AVX2}}
	archWinogradOut4 = []impl[winogradOutLoop]{{"f32_4x4_avx512", cpu.AVX512, outBy(winogradOut4AVX512)}, {"f32_4x4_avx2", cpu.AVX2, outBy(winogradOut4AVX2)}}
	archWinogradOut2 = []impl[winogradOutLoop]{{"f32_2x2_avx512", cpu.AVX512, outBy(winogradOut2AVX512)}, {"f32_2x2_avx2", cpu.AVX2, outBy(winogradOut2AVX2)}}
)

func outBy(f func(*byte)) winogradOutLoop {
	return func(a *winogradOut) { f((*byte)(unsafe.Pointer(a))) }
}
