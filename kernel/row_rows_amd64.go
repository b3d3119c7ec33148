//go:build !noasm

package kernel

var (
	archRowMax    = both[reduceLoop]("f32_64_avx512", rowMaxAVX512, "f32_64_avx2", rowMaxAVX2)
	archRowSize   = both[reduceLoop]("f32_64_avx512", rowSizeAVX512, "f32_64_avx2", rowSizeAVX2)
	archRowSum    = both[reduceLoop]("f32_64_avx512", rowSumAVX512, "f32_64_avx2", rowSumAVX2)
	archExpSum    = both[expSumLoop]("f32_64_avx512", expSumAVX512, "f32_64_avx2", expSumAVX2)
	archVariance  = both[reduce2Loop]("f32_64_avx512", varianceAVX512, "f32_64_avx2", varianceAVX2)
	archNormalize = both[normalizeLoop]("f32_64_avx512", normalizeAVX512, "f32_32_avx2", normalizeAVX2)
)
