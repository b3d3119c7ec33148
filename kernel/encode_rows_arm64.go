//go:build !noasm

package kernel

import "unsafe"

var (
	archEncodeSteps  = neon[gridLoop]("f32u8_8_neon", onGridOctets(encodeStepsNEON, encodeStepsFrom))
	archEncodeLevels = neon[gridLoop]("f32u8_8_neon", onGridOctets(encodeLevelsNEON, encodeLevelsFrom))
)

// onGridOctets completes a routine that does whole groups of eight.
func onGridOctets(f func(*byte), rest func(i int, a *gridArgs)) gridLoop {
	return func(a *gridArgs) {
		f((*byte)(unsafe.Pointer(a)))
		rest(len(a.dst)&^7, a)
	}
}
