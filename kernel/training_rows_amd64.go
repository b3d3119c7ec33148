//go:build !noasm

package kernel

import "unsafe"

var (
	archMoments      = both[momentsLoop]("f32_64_avx512", momentsAVX512, "f32_32_avx2", momentsAVX2)
	archTotals       = both[totalsLoop]("f32_64_avx512", totalsAVX512, "f32_32_avx2", totalsAVX2)
	archNormGradSums = both[normGradSumsLoop]("f32_32_avx512", normGradSumsAVX512, "f32_8_avx2", normGradSumsAVX2)
	archNormRows     = both[normRowsLoop]("f32_64_avx512", normRowsAVX512, "f32_32_avx2", normRowsAVX2)
	archNormGrad     = both[normGradLoop]("f32_32_avx512", onNormGrad(normGradAVX512), "f32_16_avx2", onNormGrad(normGradAVX2))
	archClampGrad    = both[clampGradLoop]("f32_64_avx512", clampGradAVX512, "f32_32_avx2", clampGradAVX2)
	archAddScaled    = both[addScaledLoop]("f32_64_avx512", addScaledAVX512, "f32_32_avx2", addScaledAVX2)
	archDescent      = both[descentLoop]("f32_32_avx512", descentAVX512, "f32_16_avx2", descentAVX2)
	archAdam         = both[adamLoop]("f32_32_avx512", onMoments(adamAVX512), "f32_16_avx2", onMoments(adamAVX2))
	archAdamax       = both[adamLoop]("f32_32_avx512", onMoments(adamaxAVX512), "f32_16_avx2", onMoments(adamaxAVX2))
)

func onNormGrad(f func(*byte)) normGradLoop {
	return func(a *normGradArgs) { f((*byte)(unsafe.Pointer(a))) }
}

func onMoments(f func(p, g, m, v []float32, s *float32)) adamLoop {
	return func(p, g, m, v []float32, s *Moments) { f(p, g, m, v, &s.Rate) }
}
