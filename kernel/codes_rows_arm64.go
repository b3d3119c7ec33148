//go:build !noasm

package kernel

import "unsafe"

var (
	archAddCodes  = neon[addCodesLoop]("u8_16_neon", func(a *addArgs) { addCodesNEON((*byte)(unsafe.Pointer(a))) })
	archMaxCodes  = neon[maxCodesLoop]("u8_16_neon", maxCodesNEON)
	archGateCodes = neon[gateCodesLoop]("u8_16_neon", func(a *gateArgs) { gateCodesNEON((*byte)(unsafe.Pointer(a))) })
	archMapCodes  = neon[mapCodesLoop]("u8_16_neon", func(dst, src []uint8, m *CodeMap) { mapCodesNEON(dst, src, &m.values[0]) })
)
