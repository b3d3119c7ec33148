//go:build !noasm

package kernel

var archTranspose = both[transposeLoop]("f32_16x16_avx512", onMatrix(transposeAVX512), "f32_8x8_avx2", onMatrix(transposeAVX2))

func onMatrix(f func(dst, src *float32, rows, cols int)) transposeLoop {
	return func(dst, src []float32, rows, cols int) { f(&dst[0], &src[0], rows, cols) }
}
