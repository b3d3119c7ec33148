//go:build !noasm

package kernel

var (
	archRowMax    = neon[reduceLoop]("f32_64_neon", rowMaxNEON)
	archRowSize   = neon[reduceLoop]("f32_64_neon", rowSizeNEON)
	archRowSum    = neon[reduceLoop]("f32_64_neon", rowSumNEON)
	archExpSum    = neon[expSumLoop]("f32_64_neon", expSumNEON)
	archVariance  = neon[reduce2Loop]("f32_64_neon", varianceNEON)
	archNormalize = neon[normalizeLoop]("f32_16_neon", normalizeNEON)
)
