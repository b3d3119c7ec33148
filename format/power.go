package format

import (
	"cmp"
	"math"
	"strconv"

	"pare/tensor"
)

// NewPowerActivation is the power grid over [lo, hi], widened to hold 0: evenly
// spaced in |x|^exponent with the sign kept, so that 0 lies among its levels and
// they are finest around it. The zero point is a multiple of a sixteenth of the
// codes, as grids with the same one share a table; the grid then reaches a little
// further on one side.
// top is the largest level, 0 for the usual.
func NewPowerActivation(lo, hi float64, bits int, exponent float64, r Rounding, top int) Activation {
	lo, hi = min(lo, 0), max(hi, 0)
	if top == usualTop(bits) {
		top = 0
	}
	a := Activation{Bits: bits, Scale: 1, Exponent: exponent, Rounding: r, Top: top}
	below, above := math.Pow(-lo, exponent), math.Pow(hi, exponent)
	if hi-lo < tiny {
		return a
	}
	n, unit := float64(a.top()), float64(max(1, (a.top()+1)/16))
	share := n * below / (below + above)
	zero := min(math.RoundToEven(share/unit)*unit, n)
	if zero == 0 && share >= 0.5 {
		zero = unit
	}
	if above > 0 && zero > n-1 {
		zero = n - unit
	}
	step := 0.0
	if zero > 0 {
		step = below / zero
	}
	if zero < n {
		step = max(step, above/(n-zero))
	}
	a.Zero = uint8(zero)
	a.Scale = float32(math.Pow(step*max(zero, n-zero), 1/exponent) / float64(a.largest()))
	return a
}

func (a Activation) largest() int { return cmp.Or(a.Top, usualTop(a.Bits)) }

// Levels are what the codes stand for in units of Scale: integers, those of power
// grids at most Top.
func (a Activation) Levels() []float32 {
	out := make([]float32, a.top()+1)
	far := max(int(a.Zero), a.top()-int(a.Zero))
	var mags []float32
	if a.Exponent != 0 {
		mags = powerLevels(far, float64(a.largest()), a.Exponent)
	}
	for q := range out {
		d := q - int(a.Zero)
		switch {
		case mags == nil:
			out[q] = float32(d)
		case d < 0:
			out[q] = 0 - mags[-d] // never -0
		default:
			out[q] = mags[d]
		}
	}
	return out
}

// fine is how many equal steps a power grid's range is cut into; a table holds
// the code of each.
const fine = 4096

// coder finds the codes of a power grid: the entry of codes at
// trunc(clamp(x·factor + offset, 0, fine-1)), each operation rounded to float32.
// Those are operations that every runtime rounds alike, unlike powers.
type coder struct {
	factor, offset float32
	codes          []uint8
}

func (a Activation) coder() coder {
	levels := a.Levels()
	least, most := float64(levels[0]), float64(levels[a.top()])
	step := (most - least) / (fine - 1)
	zero := math.RoundToEven(-least / step)
	c := coder{float32(1 / (step * float64(a.Scale))), float32(zero + 0.5), make([]uint8, fine)}
	cuts := a.cuts(levels)
	q := 0
	for i := range c.codes {
		for q < a.top() && (float64(i)-zero)*step >= cuts[q] {
			q++
		}
		c.codes[i] = uint8(q)
	}
	c.codes[int(zero)] = a.Zero // levels next to it may have been rounded to 0, too
	return c
}

// cuts are where code q ends and code q+1 begins, in units of Scale.
func (a Activation) cuts(levels []float32) []float64 {
	out := make([]float64, a.top())
	far := float64(max(int(a.Zero), a.top()-int(a.Zero)))
	for q := range out {
		out[q] = (float64(levels[q]) + float64(levels[q+1])) / 2
		if d := float64(q-int(a.Zero)) + 0.5; a.Rounding == PowerDomain {
			out[q] = math.Copysign(float64(a.largest())*math.Pow(math.Abs(d)/far, 1/a.Exponent), d)
		}
	}
	return out
}

// Line is what finds the point of a power grid's table next to x: x*factor + offset,
// each operation rounded to float32, without its fraction.
func (a Activation) Line() (factor, offset float32) {
	c := a.coder()
	return c.factor, c.offset
}

// code is the code of x; a number that is none counts as the least.
func (c *coder) code(x float32) uint8 {
	u := float32(x*c.factor) + c.offset
	if !(u > 0) {
		u = 0
	}
	return c.codes[int(min(u, fine-1))]
}

// attributeExponent is the exponent that a function's attribute, a float32 of a
// decimal number, stands for.
func attributeExponent(x float32) float64 {
	e, _ := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64)
	return e
}

// Tables are those of a power grid as tensors: the code of each of 4096 points that
// lie evenly from the least to the largest level, and Levels.
func (a Activation) Tables() (codes, levels *tensor.Tensor) {
	l := a.Levels()
	return tensor.Of([]int{fine}, a.coder().codes), tensor.Of([]int{len(l)}, l)
}
