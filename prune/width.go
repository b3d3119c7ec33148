package prune

import "math"

// widest is the hash of the largest bandwidth that keeps within the error that is
// allowed. It comes from the wide side, where densities are cheap: errors grow
// with the bandwidth but for ripples. Where even the median distance between
// weights is too wide, nothing changes.
func (s *sorted) widest(o Hashing) *Hash {
	n := float64(len(s.w))
	mean := s.sum[len(s.w)] / n
	wide := math.Sqrt(max(s.squares[len(s.w)]/n-mean*mean, 0))
	width := wide
	h := s.hash(o, width)
	for h.Error > o.Error {
		if width < s.gap {
			return s.same()
		}
		wide, width = width, width/2
		h = s.hash(o, width)
	}
	for range refinements {
		mid := math.Sqrt(width * wide)
		if g := s.hash(o, mid); g.Error <= o.Error {
			width, h = mid, g
		} else {
			wide = mid
		}
	}
	return h
}

// refinements of the bandwidth: to within 2 %.
const refinements = 5
