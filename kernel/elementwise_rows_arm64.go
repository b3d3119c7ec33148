//go:build !noasm

package kernel

import "pare/internal/cpu"

var archUnary = [unaryCount][]impl[unaryLoop]{
	Exp:       neon[unaryLoop]("f32_16_neon", unaryExpNEON),
	Sigmoid:   neon[unaryLoop]("f32_8_neon", unarySigmoidNEON),
	SiLU:      neon[unaryLoop]("f32_8_neon", unarySiLUNEON),
	Tanh:      neon[unaryLoop]("f32_8_neon", unaryTanhNEON),
	Erf:       neon[unaryLoop]("f32_8_neon", unaryErfNEON),
	GELU:      neon[unaryLoop]("f32_8_neon", unaryGELUNEON),
	HardSwish: neon[unaryLoop]("f32_16_neon", unaryHardSwishNEON),
	Sqrt:      neon[unaryLoop]("f32_16_neon", unarySqrtNEON),
}

var archAffine = neon[affineLoop]("f32_16_neon", affineNEON)

var archBinary = [binaryCount][]impl[binaryLoop]{
	Add: neon[binaryLoop]("f32_16_neon", binaryAddNEON),
	Sub: neon[binaryLoop]("f32_16_neon", binarySubNEON),
	Mul: neon[binaryLoop]("f32_16_neon", binaryMulNEON),
	Div: neon[binaryLoop]("f32_16_neon", binaryDivNEON),
	Min: neon[binaryLoop]("f32_16_neon", binaryMinNEON),
	Max: neon[binaryLoop]("f32_16_neon", binaryMaxNEON),
}

// neon makes the row of a table whose routine takes Go's arguments.
func neon[F any](name string, f F) []impl[F] { return []impl[F]{{name, cpu.NEON, f}} }
