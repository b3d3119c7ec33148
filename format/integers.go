package format

import "pare/tensor"

// Integers calls f with the index of every element, in order, and the integer that stands
// before its scale: the code less the zero point, or the level, which must be an
// integer. Codes must be valid, as those of Encode and MatchWeight are. It knows
// grids per tensor and per channel, of one term.
func (e *Encoded) Integers(f func(i int, v int16)) {
	codes := tensor.Ints8(e.Codes)
	if e.Levels != nil {
		for i, c := range codes {
			f(i, int16(e.Levels[c]))
		}
		return
	}
	zeros := []int16{0}
	if e.Zero != nil {
		zeros = tensor.Ints8(e.Zero)
	}
	inner, groups := len(codes), 1
	if e.Spec.Grain == PerChannel && len(zeros) > 1 {
		inner, groups = tensor.Len(e.Codes.Shape[e.Spec.Axis+1:]), e.Codes.Shape[e.Spec.Axis]
	}
	for from := 0; from < len(codes); from += inner {
		zero := zeros[from/inner%groups]
		for i, c := range codes[from : from+inner] {
			f(from+i, c-zero)
		}
	}
}
