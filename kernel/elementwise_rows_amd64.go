//go:build !noasm

package kernel

import "pare/internal/cpu"

var archUnary = [unaryCount][]impl[unaryLoop]{
	Exp:       both[unaryLoop]("f32_64_avx512", unaryExpAVX512, "f32_16_avx2", unaryExpAVX2),
	Sigmoid:   both[unaryLoop]("f32_64_avx512", unarySigmoidAVX512, "f32_16_avx2", unarySigmoidAVX2),
	SiLU:      both[unaryLoop]("f32_64_avx512", unarySiLUAVX512, "f32_16_avx2", unarySiLUAVX2),
	Tanh:      both[unaryLoop]("f32_32_avx512", unaryTanhAVX512, "f32_16_avx2", unaryTanhAVX2),
	Erf:       both[unaryLoop]("f32_32_avx512", unaryErfAVX512, "f32_16_avx2", unaryErfAVX2),
	GELU:      both[unaryLoop]("f32_32_avx512", unaryGELUAVX512, "f32_16_avx2", unaryGELUAVX2),
	HardSwish: both[unaryLoop]("f32_64_avx512", unaryHardSwishAVX512, "f32_32_avx2", unaryHardSwishAVX2),
	Sqrt:      both[unaryLoop]("f32_64_avx512", unarySqrtAVX512, "f32_32_avx2", unarySqrtAVX2),
}

var archAffine = both[affineLoop]("f32_64_avx512", affineAVX512, "f32_32_avx2", affineAVX2)

var archGateRows = both[gateRowsLoop]("f32_64_avx512", gateRowsAVX512, "f32_32_avx2", gateRowsAVX2)

var archBinary = [binaryCount][]impl[binaryLoop]{
	Add: both[binaryLoop]("f32_64_avx512", binaryAddAVX512, "f32_32_avx2", binaryAddAVX2),
	Sub: both[binaryLoop]("f32_64_avx512", binarySubAVX512, "f32_32_avx2", binarySubAVX2),
	Mul: both[binaryLoop]("f32_64_avx512", binaryMulAVX512, "f32_32_avx2", binaryMulAVX2),
	Div: both[binaryLoop]("f32_64_avx512", binaryDivAVX512, "f32_32_avx2", binaryDivAVX2),
	Min: both[binaryLoop]("f32_64_avx512", binaryMinAVX512, "f32_32_avx2", binaryMinAVX2),
	Max: both[binaryLoop]("f32_64_avx512", binaryMaxAVX512, "f32_32_avx2", binaryMaxAVX2),
}

// both makes the two rows of a table whose routines take Go's arguments.
func both[F any](wide string, avx512 F, narrow string, avx2 F) []impl[F] {
	return []impl[F]{{wide, cpu.AVX512, avx512}, {narrow, cpu.AVX2, avx2}}
}
