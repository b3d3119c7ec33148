//go:build !noasm

package kernel

import "unsafe"

var (
	archEncodeSteps  = both[gridLoop]("f32u8_16_avx512", onGrid(encodeStepsAVX512), "f32u8_8_avx2", onGridOctets(encodeStepsAVX2, encodeStepsFrom, MaxLevels))
	archEncodeLevels = both[gridLoop]("f32u8_16_avx512", onGrid(encodeLevelsAVX512), "f32u8_8_avx2", onGridOctets(encodeLevelsAVX2, encodeLevelsFrom, 8))
)

func onGrid(f func(*byte)) gridLoop {
	return func(a *gridArgs) { f((*byte)(unsafe.Pointer(a))) }
}

// onGridOctets completes a routine that does whole groups of eight, and replaces
// it where there are more levels than it takes.
func onGridOctets(f func(*byte), rest func(i int, a *gridArgs), levels int) gridLoop {
	return func(a *gridArgs) {
		if a.n > levels {
			rest(0, a)
			return
		}
		f((*byte)(unsafe.Pointer(a)))
		rest(len(a.dst)&^7, a)
	}
}
