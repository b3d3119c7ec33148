//go:build !noasm

package kernel

import "unsafe"

var (
	archAddCodes = both[addCodesLoop]("u8_32_avx512", addWhole(32, addCodesAVX512), "u8_16_avx2", addWhole(16, addCodesAVX2))
	archMaxCodes = both[maxCodesLoop]("u8_64_avx512", maxWhole(64, maxCodesAVX512), "u8_32_avx2", maxWhole(32, maxCodesAVX2))
)

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
