//go:build !noasm

package kernel

var archTranspose = neon[transposeLoop]("f32_4x4_neon", func(dst, src []float32, rows, cols int) {
	transposeNEON(&dst[0], &src[0], rows, cols)
})
