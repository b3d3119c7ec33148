//go:build !noasm

package kernel

import "unsafe"

var archSteps = neon[stepLoop]("f32u8_16_neon", func(s *Steps, a *stepArgs) {
	a.tree, a.more = unsafe.Pointer(unsafe.SliceData(s.values)), len(s.values)-1
	stepsNEON((*byte)(unsafe.Pointer(a)))
})
