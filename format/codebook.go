package format

import "pare/tensor"

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
	l := s.layout(w.Shape)
	grid := s.Top
	if grid == 0 {
		grid = freeGrid
	}
	h := newLine(grid)
	for k := range l.groups {
		h.group(l, k, data, o.Importance)
	}
	levels := h.choose(1 << s.Bits)
	unit := float32(grid)
	if s.Top == 0 {
		levels, unit = h.polish(levels), 1
	}
	e, cost, err := encodeEach(w, s, o.Threads, func(k int, x []float32, codes []byte) (float32, Error) {
		var weights []float32
		if o.Importance != nil {
			weights = gather(l, k, k+1, o.Importance).of(k)
		}
		return nearest(x, weights, levels, unit, codes)
	})
	if err == nil {
		e.Levels = levels
	}
	return e, cost, err
}

// freeGrid is how fine the levels of a codebook are chosen before they move to
// the means of what they stand for.
const freeGrid = 512

// refits is how often a group's scale is fitted to its codes, and the codes to
// the scale.
const refits = 2

// nearest stores x by the nearest levels, with the scale that fits them best by
// least squares.
func nearest(x, weights, levels []float32, top float32, codes []byte) (float32, Error) {
	m := float32(0)
	for _, v := range x {
		m = max(m, v, -v)
	}
	scale := m / top
	if m < dead {
		scale = dead / top // no level need be 0
	}
	for range refits {
		assign(x, levels, scale, codes)
		var wl, ll float64
		for i, v := range x {
			f := 1.0
			if weights != nil {
				f = float64(weights[i])
			}
			level := float64(levels[codes[i]])
			wl += float64(f * float64(v) * level)
			ll += float64(f * level * level)
		}
		if s := float32(wl / ll); ll > 0 && s > dead && s < 2*scale && s > scale/2 {
			scale = s
		}
	}
	assign(x, levels, scale, codes)
	var t tally
	for i, v := range x {
		t = t.with(v, float32(levels[codes[i]]*scale))
	}
	return scale, t.error(len(x))
}

// assign finds the nearest level of every element by bisection.
func assign(x, levels []float32, scale float32, codes []byte) {
	var cuts [64]float32
	n := len(levels)
	for j := 1; j < n; j++ {
		cuts[j] = (levels[j-1] + levels[j]) / 2 * scale
	}
	for i, v := range x {
		lo, hi := 0, n
		for hi-lo > 1 {
			if mid := (lo + hi) / 2; v >= cuts[mid] {
				lo = mid
			} else {
				hi = mid
			}
		}
		codes[i] = byte(lo)
	}
}
