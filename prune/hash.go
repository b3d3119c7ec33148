package prune

import (
	"math"
	"slices"
	"sort"
)

// Hashing says how the weights of a layer are replaced by the modes of their
// density (RED, step 1). Tau is the prominence, from 0 to below 1, from which a
// mode counts: by how much of its height it rises above the higher minimum beside
// it.
type Hashing struct {
	// Width is the bandwidth in median distances between neighbouring weights; 0
	// for the largest with which the error, relative to the weights, is at most
	// Error.
	Width, Error float64
	Tau          float64
	// Mean makes a mode stand for the mean of its weights rather than the place of
	// the maximum.
	Mean bool
	// PerChannel hashes the weights of every output channel of a layer in units of
	// their root mean square.
	PerChannel bool
	// Most is the largest number of levels, at the cost of the error; 0 for any.
	Most int
	// Correct gives the mean of the error that hashing causes to biases.
	Correct bool
}

// Hash maps weights to the modes of their density.
type Hash struct {
	Levels []float32 // ascending, one per mode
	cuts   []float32 // cuts[k] is the least weight of level k+1
	Gap    float64   // median distance between neighbouring weights
	Width  float64   // bandwidth, in the units of the weights
	Error  float64   // of the hashed weights, relative: root of sums of squares
	sizes  []float64 // that levels are multiplied by, by output channel; nil for none
}

// Fit finds the modes of the density of w, which must be finite. Numbers of
// fewer than two distinct values are their own modes.
func (o Hashing) Fit(w []float32) *Hash {
	s := newSorted(w)
	if s.gap == 0 {
		return s.same()
	}
	var h *Hash
	if o.Width > 0 {
		h = s.hash(o, o.Width*s.gap)
	} else {
		h = s.widest(o)
	}
	for width := max(h.Width, s.gap); o.Most > 0 && len(h.Levels) > o.Most; width *= 1.1 {
		h = s.hash(o, width)
	}
	return h
}

// sorted are the weights of a layer and their running sums.
type sorted struct {
	w            []float32
	sum, squares []float64 // of the first k
	gap          float64
}

func newSorted(w []float32) *sorted {
	s := &sorted{w: ascending(w), sum: make([]float64, len(w)+1), squares: make([]float64, len(w)+1)}
	for i, v := range s.w {
		x := float64(v)
		s.sum[i+1], s.squares[i+1] = s.sum[i]+x, s.squares[i]+float64(x*x)
	}
	s.gap = gap(s.w)
	return s
}

// same is the hash that changes nothing.
func (s *sorted) same() *Hash {
	h := &Hash{Levels: slices.Compact(slices.Clone(s.w))}
	h.cuts = h.Levels[min(1, len(h.Levels)):]
	return h
}

// hash is that of a bandwidth.
func (s *sorted) hash(o Hashing, width float64) *Hash {
	modes := prominent(modesOf(s.w, width), o.Tau)
	h := &Hash{Gap: s.gap, Width: width}
	from, wrong := 0, 0.0
	for k, m := range modes {
		to := len(s.w)
		if k+1 < len(modes) {
			to = from + sort.Search(len(s.w)-from, func(i int) bool { return float64(s.w[from+i]) >= m.hi })
		}
		if to == from {
			continue // a ripple of the kernel's cut-off without weights
		}
		if from > 0 {
			h.cuts = append(h.cuts, s.w[from])
		}
		level := s.level(o, m, width, from, to)
		h.Levels = append(h.Levels, level)
		wrong += s.error(from, to, float64(level))
		from = to
	}
	h.Error = math.Sqrt(wrong / s.squares[len(s.w)])
	return h
}

// level is what the weights from..to-1, the hill of m, become: exactly 0 only
// where the maximum lies there, to the resolution of the density.
func (s *sorted) level(o Hashing, m mode, width float64, from, to int) float32 {
	switch {
	case math.Abs(m.at) <= width/perWidth/2:
		return 0
	case o.Mean:
		return float32((s.sum[to] - s.sum[from]) / float64(to-from))
	}
	return float32(m.at)
}

// error is the sum of squared distances of the weights from..to-1 to level;
// those that are exactly 0 stay so.
func (s *sorted) error(from, to int, level float64) float64 {
	n := float64(to - from)
	if s.w[from] <= 0 && s.w[to-1] >= 0 {
		n -= float64(s.zeros(from, to))
	}
	return max(0, s.squares[to]-s.squares[from]-2*level*(s.sum[to]-s.sum[from])+n*level*level)
}

func (s *sorted) zeros(from, to int) int {
	w := s.w[from:to]
	return sort.Search(len(w), func(i int) bool { return w[i] > 0 }) - sort.Search(len(w), func(i int) bool { return w[i] >= 0 })
}

// Apply writes the levels of w to dst, which may be w. Weights that are exactly
// 0 stay so: a connection that does not exist is not made.
func (h *Hash) Apply(dst, w []float32) {
	for i, v := range w {
		if v != 0 {
			v = h.Levels[h.find(v)]
		}
		dst[i] = v
	}
}

// find is the number of the level of v.
func (h *Hash) find(v float32) int {
	lo, hi := 0, len(h.cuts)
	for lo < hi {
		mid := (lo + hi) / 2
		if h.cuts[mid] <= v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
