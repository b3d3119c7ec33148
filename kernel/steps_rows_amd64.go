//go:build !noasm

package kernel

import "unsafe"

var archSteps = both[stepLoop]("f32u8_64_avx512", func(s *Steps, a *stepArgs) {
	if s.words == nil {
		s.from(0, a)
		return
	}
	a.tree, a.more = unsafe.Pointer(unsafe.SliceData(s.words.words)), s.words.more
	stepsAVX512((*byte)(unsafe.Pointer(a)))
}, "f32u8_16_avx2", func(s *Steps, a *stepArgs) {
	whole := 0
	if s.floats != nil {
		a.tree, a.more = unsafe.Pointer(unsafe.SliceData(s.floats.words)), s.floats.more
		stepsAVX2((*byte)(unsafe.Pointer(a)))
		whole = a.cols &^ 7
	}
	s.from(whole, a)
})
