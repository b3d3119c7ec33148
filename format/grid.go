package format

import (
	"math"

	"pare/kernel"
)

// Rounding says which code of a power grid stands for a number.
type Rounding uint8

// NearestLevel picks the level closest to the number. PowerDomain rounds
// n·|w|^a, as the paper writes it.
const (
	NearestLevel Rounding = iota
	PowerDomain
)

// grid is the part of a format that all groups share.
type grid struct {
	Spec
	n float32 // largest code
	// Power only. mags are the levels of codes 0..n before scaling, integers
	// from 0 to top; cuts[j] is the least magnitude that gets code j; guess
	// holds the code of the least magnitude of every octave's sixteenths.
	mags, cuts []float32
	top        float32
	guess      [guesses]uint8
}

// Integer tables: with levels that are integers, products run on integer
// kernels. Up to 5 bits they fit a signed byte, above that 16 bits.
const (
	byteTable = 127
	wordTable = 32767
)

// Table returns the levels of codes 0..n of a power grid as integers, the last
// being 127 for up to 5 bits and 32767 above. Level j stands for
// table[j]/table[n] of the largest magnitude.
func Table(bits int, exponent float64) []float32 {
	return powerLevels(1<<(bits-1)-1, float64(usualTop(bits)), exponent)
}

// usualTop is the largest level of a power grid that none is asked for.
func usualTop(bits int) int {
	if bits > 5 {
		return wordTable
	}
	return byteTable
}

// powerLevels are the integers nearest to top·(j/n)^(1/exponent), j = 0..n.
func powerLevels(n int, top, exponent float64) []float32 {
	out := make([]float32, n+1)
	for j := range out {
		out[j] = float32(math.RoundToEven(top * math.Pow(float64(j)/float64(n), 1/exponent)))
	}
	return out
}

func newGrid(s Spec, r Rounding) *grid {
	g := &grid{Spec: s, n: float32(s.Levels())}
	if s.Kind == Power {
		g.setPower(s.table(), r)
	}
	return g
}

// guesses is the number of magnitudes between 2^-16 and 2^16 whose first four
// bits behind the leading one differ. The levels lie well within.
const (
	guesses   = 32 * 16
	guessBits = 23 - 4
	guessBase = (127 - 16) << 4
)

func (g *grid) setPower(mags []float32, r Rounding) {
	n := len(mags) - 1
	g.mags, g.top = mags, mags[n]
	g.cuts = make([]float32, n+2)
	for j := 1; j <= n; j++ {
		g.cuts[j] = (mags[j-1] + mags[j]) / 2
		if r == PowerDomain {
			g.cuts[j] = g.top * float32(math.Pow((float64(j)-.5)/float64(n), 1/g.Exponent))
		}
	}
	g.cuts[n+1] = float32(math.Inf(1))
	q := 0
	for i := range g.guess {
		for g.cuts[q+1] <= math.Float32frombits(uint32(i+guessBase)<<guessBits) {
			q++
		}
		g.guess[i] = uint8(q)
	}
	g.guess[0] = 0 // stands for everything below, too
}

// power returns the magnitude code of u = |w|/scale.
func (g *grid) power(u float32) int {
	at := int(math.Float32bits(u)>>guessBits) - guessBase
	q := int(g.guess[min(max(at, 0), guesses-1)])
	for u >= g.cuts[q+1] {
		q++
	}
	return q
}

// magnitude is |x|, sign -1 for negative numbers and 0 for others: signs of
// weights are as good as random, so a branch on them is guessed wrong as often
// as right.
func magnitude(x float32) (u float32, sign int) {
	b := math.Float32bits(x)
	return math.Float32frombits(b &^ (1 << 31)), int(int32(b) >> 31)
}

// roundEven rounds |x| < 2^22 to the nearest integer, halves to even.
func roundEven(x float32) float32 {
	const magic = 3 << 22
	return float32(x+magic) - magic
}

// quantise writes the codes of x and returns its error. scale is positive.
func (g *grid) quantise(x []float32, scale, zero float32, codes []byte) Error {
	if g.Kind == Power {
		return g.quantisePower(x, scale, codes)
	}
	s := kernel.Scale{Step: scale, Zero: int32(zero), Lo: -int32(g.n), Hi: int32(g.n)}
	if g.Asymmetric {
		s.Lo = 0
	}
	return errorOf(kernel.EncodeSteps(codes, x, s), len(x))
}

func errorOf(c kernel.Cost, n int) Error {
	return Error{N: n, Square: c.Square, Energy: c.Energy, Max: c.Max}
}

func (g *grid) quantisePower(x []float32, scale float32, codes []byte) Error {
	n := int(g.n)
	if n < kernel.MaxLevels {
		var levels [kernel.MaxLevels]float32
		for j, l := range g.mags {
			levels[j] = float32(l * scale)
		}
		return errorOf(kernel.EncodeLevels(codes, x, scale, g.cuts[:n+1], levels[:n+1]), len(x))
	}
	levels := mirror(g.mags)
	for i, l := range levels {
		levels[i] = float32(l * scale)
	}
	var t tally
	for i, v := range x {
		u, sign := magnitude(v / scale)
		q := n + (g.power(u) ^ sign) - sign
		codes[i] = byte(q)
		t = t.with(v, levels[q])
	}
	return t.error(len(x))
}

// tally gathers an Error. It goes by value, so that loops keep it in registers.
type tally struct{ square, energy, max float64 }

func (t tally) with(want, got float32) tally {
	w := float64(want)
	d := w - float64(got)
	t.square += float64(d * d)
	t.energy += float64(w * w)
	if d = math.Abs(d); d > t.max {
		t.max = d
	}
	return t
}

func (t tally) error(n int) Error {
	return Error{N: n, Square: t.square, Energy: t.energy, Max: t.max}
}

// measure is the sum of squared errors without storing codes.
func (g *grid) measure(x []float32, scale float32) float64 {
	sum := 0.0
	for _, v := range x {
		if v < 0 {
			v = -v
		}
		u := v / scale
		if g.Kind == Power {
			u = g.mags[g.power(u)]
		} else {
			u = roundEven(min(u, g.n))
		}
		d := float64(v - float32(u*scale))
		sum += d * d
	}
	return sum
}
