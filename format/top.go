package format

import (
	"slices"
)

// TableTo is Table with another largest level; 0 stands for Table's own. Levels
// that rounding would make equal are kept apart, as far down as there is room.
func TableTo(top, bits int, exponent float64) []float32 {
	if top == 0 {
		return Table(bits, exponent)
	}
	n := 1<<(bits-1) - 1
	out := powerLevels(n, float64(top), exponent)
	for j := 1; j <= n; j++ {
		out[j] = min(max(out[j], out[j-1]+1), float32(top-n+j))
	}
	return out
}

// table is that of a power grid.
func (s Spec) table() []float32 { return TableTo(s.Top, s.Bits, s.Exponent) }

// setTop finds the largest level of a recognised power grid, and with it the
// exponent that the attribute names.
func (e *Encoded) setTop(attribute float32) {
	n := len(e.Levels) / 2
	top := e.Levels[2*n]
	if usual := Table(e.Spec.Bits, 1); usual[len(usual)-1] == top {
		return
	}
	e.Spec.Top = int(top)
	if a := attributeExponent(attribute); a > 0 && slices.Equal(TableTo(e.Spec.Top, e.Spec.Bits, a), e.Levels[n:]) {
		e.Spec.Exponent = a
	}
}
