//go:build !noasm

package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

var (
	archAddCodes  = both[addCodesLoop]("u8_32_avx512", addWhole(32, addCodesAVX512), "u8_16_avx2", addWhole(16, addCodesAVX2))
	archMaxCodes  = both[maxCodesLoop]("u8_64_avx512", maxWhole(64, maxCodesAVX512), "u8_32_avx2", maxWhole(32, maxCodesAVX2))
	archGateCodes = both[gateCodesLoop]("u8_16_avx512", gateWhole(gateCodesAVX512), "u8_16_avx2", gateWhole(gateCodesAVX2))
	archMapCodes  = append([]impl[mapCodesLoop]{{"u8_64_vbmi", cpu.AVX512 | cpu.VBMI, mapBytes}},
		both[mapCodesLoop]("u8_128_avx512", mapWhole(mapCodesAVX512), "u8_128_avx2", mapWhole(mapCodesAVX2))...)
	archSumCodes = both[sumCodesLoop]("u8_64_avx512", sumWhole(64, sumCodesAVX512, sumNarrow), "u8_32_avx2", sumNarrow)
)

var archScaleCodes = []impl[scaleCodesLoop]{{"u8_32_avx2", cpu.AVX2, func(a *scaleArgs) {
	switch p := (*byte)(unsafe.Pointer(a)); {
	case a.cols >= 32:
		scaleCodes32AVX2(p)
	case a.cols >= 8:
		scaleCodes8AVX2(p)
	default:
		scaleCodesGo(a)
	}
}}}

func mapBytes(dst, src []uint8, t *CodeMap) { mapCodesBytesAVX512(dst, src, &t.values[0]) }

// sumWhole completes a routine that takes n columns or more.
func sumWhole(n int, f func(*byte), fewer sumCodesLoop) sumCodesLoop {
	return func(a *sumArgs) {
		if len(a.sums) < n {
			fewer(a)
			return
		}
		f((*byte)(unsafe.Pointer(a)))
	}
}

var sumNarrow = sumWhole(32, sumCodesAVX2, sumCodesGo)

// addWhole completes a routine that does whole groups of n.
func addWhole(n int, f func(*byte)) addCodesLoop {
	return func(a *addArgs) {
		f((*byte)(unsafe.Pointer(a)))
		addCodesFrom(len(a.dst)/n*n, a)
	}
}

func maxWhole(n int, f func(dst, src []uint8)) maxCodesLoop {
	return func(dst, src []uint8) {
		f(dst, src)
		maxCodesFrom(len(dst)/n*n, dst, src)
	}
}

// mapWhole completes a routine that does whole groups of 128.
func mapWhole(f func(dst, src []uint8, rows *byte)) mapCodesLoop {
	return func(dst, src []uint8, t *CodeMap) {
		f(dst, src, &t.rows[0])
		whole := len(dst) / 128 * 128
		mapCodesGo(dst[whole:], src[whole:], t)
	}
}

// gateWhole completes a routine that does whole groups of 16.
func gateWhole(f func(*byte)) gateCodesLoop {
	return func(a *gateArgs) {
		f((*byte)(unsafe.Pointer(a)))
		gateCodesFrom(len(a.dst)/16*16, a)
	}
}
