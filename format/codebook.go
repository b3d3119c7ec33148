package format

import (
	"math"

	"pare/tensor"
)

// encodeCodebook stores w by the 2^Bits levels that fit its elements best: scaled
// so that the largest magnitude of every group is 1, and weighed by the squares
// of those scales, so that what is least is the sum of squared errors of w.
func encodeCodebook(w *tensor.Tensor, s Spec, o Options) (*Encoded, Error, error) {
	if err := s.Validate(w.Shape); err != nil {
		return nil, Error{}, err
	}
	data, err := finite(w)
	if err != nil {
		return nil, Error{}, err
	}
	l, parts := s.layout(w.Shape), groupParts{data: data, importance: o.Importance}
	grid := s.Top
	if grid == 0 {
		grid = freeGrid
	}
	h := parts.line(l, grid, o.Threads)
	levels := h.choose(1 << s.Bits)
	unit := float32(grid)
	if s.Top == 0 {
		levels, unit = h.polish(levels), 1
	}
	f := newFinder(levels, unit)
	e, cost, err := encodeRanges(w, s, o.Threads, func(from, to int) func(k int, x []float32, codes []byte) (float32, Error) {
		weights := parts.weights(l, from, to)
		return func(k int, x []float32, codes []byte) (float32, Error) { return f.fit(x, weights(k), codes) }
	})
	if err == nil {
		e.Levels = levels
	}
	return e, cost, err
}

// groupParts are numbers with what each counts, nil for all alike.
type groupParts struct{ data, importance []float32 }

// weights returns what the elements of groups from..to-1 count.
func (p groupParts) weights(l layout, from, to int) func(k int) []float32 {
	if p.importance == nil {
		return func(int) []float32 { return nil }
	}
	return gather(l, from, to, p.importance).of
}

// freeGrid is how fine the levels of a codebook are chosen before they move to
// the means of what they stand for.
const freeGrid = 512

// refits is how often a group's scale is fitted to its codes, and the codes to
// the scale.
const refits = 2

// finder finds the nearest of some levels.
type finder struct {
	levels []float32
	top    float32 // what the largest magnitude of a group is scaled to
	// guess holds levels near to evenly spaced numbers, cells of them to a unit.
	guess [2 * guessHalf]uint8
	cells float32
}

// guessHalf is how many guesses there are on each side of zero.
const guessHalf = 256

func newFinder(levels []float32, top float32) *finder {
	f := &finder{levels: levels, top: top}
	f.cells = (guessHalf - 1) / max(levels[len(levels)-1], -levels[0], dead)
	q := 0
	for i := range f.guess {
		for u := float32(i-guessHalf) / f.cells; q+1 < len(levels) && u >= (levels[q]+levels[q+1])/2; {
			q++
		}
		f.guess[i] = uint8(q)
	}
	return f
}

// cuts are the least numbers that get each level, and one that none reaches.
type cuts [65]float32

func (f *finder) cut(scale float32) *cuts {
	c, n := new(cuts), len(f.levels)
	c[0], c[n] = float32(math.Inf(-1)), float32(math.Inf(1))
	for j := 1; j < n; j++ {
		c[j] = (f.levels[j-1] + f.levels[j]) / 2 * scale
	}
	return c
}

// find returns the level of v: a guess, put right. Numbers too large to be
// guessed at are put right, too.
func (f *finder) find(v, perUnit float32, c *cuts) uint8 {
	q := f.guess[min(max(int(v*perUnit)+guessHalf, 0), 2*guessHalf-1)]
	for v < c[q&63] {
		q--
	}
	for v >= c[q&63+1] {
		q++
	}
	return q
}

// fit stores x by the nearest levels, with the scale that fits them best by
// least squares where elements count weights, nil for all alike.
func (f *finder) fit(x, weights []float32, codes []byte) (float32, Error) {
	m := absMax(x)
	scale := m / f.top
	if m < dead {
		scale = dead / f.top // no level need be 0
	}
	for range refits {
		if s := f.refit(x, weights, scale); s > dead && s < 2*scale && s > scale/2 {
			scale = s
		}
	}
	var t tally
	c, perUnit := f.cut(scale), f.cells/scale
	for i, v := range x {
		q := f.find(v, perUnit, c)
		codes[i] = q
		t = t.with(v, float32(f.levels[q]*scale))
	}
	return scale, t.error(len(x))
}

// refit returns the scale that suits the levels which x has with another one, 0
// for none.
func (f *finder) refit(x, weights []float32, scale float32) float32 {
	var wl, ll float64
	c, perUnit := f.cut(scale), f.cells/scale
	if weights == nil {
		for _, v := range x {
			level := float64(f.levels[f.find(v, perUnit, c)])
			wl += float64(float64(v) * level)
			ll += float64(level * level)
		}
	} else {
		weights = weights[:len(x)]
		for i, v := range x {
			level, w := float64(f.levels[f.find(v, perUnit, c)]), float64(weights[i])
			wl += float64(w * float64(v) * level)
			ll += float64(w * level * level)
		}
	}
	if !(ll > 0) {
		return 0
	}
	return float32(wl / ll)
}
