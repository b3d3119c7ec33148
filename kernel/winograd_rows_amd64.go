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

var (
	archWinogradSpread4 = both[winogradInLoop]("f32_6x6_avx512", winogradSpread4AVX512, "f32_6x6_avx2", winogradSpread4AVX2)
	archWinogradSpread2 = both[winogradInLoop]("f32_4x4_avx512", winogradSpread2AVX512, "f32_4x4_avx2", winogradSpread2AVX2)
	archWinogradGather4 = both[winogradInLoop]("f32_3x3_avx512", winogradGather4AVX512, "f32_3x3_avx2", winogradGather4AVX2)
	archWinogradGather2 = both[winogradInLoop]("f32_3x3_avx512", winogradGather2AVX512, "f32_3x3_avx2", winogradGather2AVX2)
)

func outBy(f func(*byte)) winogradOutLoop {
	return func(a *winogradOut) { f((*byte)(unsafe.Pointer(a))) }
}

var (
	archWinogradFilter4 = both[winogradFilterLoop]("f32_8_avx512", onFilters(8, winogradFilter4AVX512, 4), "f32_4_avx2", onFilters(4, winogradFilter4AVX2, 4))
	archWinogradFilter2 = both[winogradFilterLoop]("f32_8_avx512", onFilters(8, winogradFilter2AVX512, 2), "f32_4_avx2", onFilters(4, winogradFilter2AVX2, 2))
)

// onFilters leaves fewer filters than lanes to the portable row.
func onFilters(lanes int, f func(dst, src *float32, n int), m int) winogradFilterLoop {
	few := winogradFilterGo(m)
	return func(dst, src []float32, n int) {
		if n < lanes {
			few(dst, src, n)
			return
		}
		f(&dst[0], &src[0], n)
	}
}
