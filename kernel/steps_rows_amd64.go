//go:build !noasm

package kernel

var archSteps = both[stepLoop]("f32u8_32_avx512", func(s *Steps, a *stepArgs) {
	if !s.call(16, stepsAVX512, a) {
		s.from(0, a)
	}
}, "f32u8_16_avx2", func(s *Steps, a *stepArgs) {
	whole := 0
	if s.call(8, stepsAVX2, a) {
		whole = a.cols &^ 7
	}
	s.from(whole, a)
})
