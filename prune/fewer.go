package prune

import (
	"math"
	"slices"
	"sort"
)

// manyLevels is from where on a wider bandwidth makes fewer levels, before they are
// joined one by one.
const manyLevels = 2048

// fewer joins neighbouring levels of h, always the two that add least to the error,
// until most are left. Levels become the means of their weights.
func (s *sorted) fewer(h *Hash, o Hashing) *Hash {
	for width := max(h.Width, s.gap); len(h.Levels) > manyLevels; width *= 1.1 {
		h = s.hash(o, width)
	}
	ends := []int{0}
	for _, c := range h.cuts {
		ends = append(ends, sort.Search(len(s.w), func(i int) bool { return s.w[i] >= c }))
	}
	ends = append(ends, len(s.w))
	for len(ends)-1 > o.Most {
		best, least := 1, math.Inf(1)
		for k := 1; k+1 < len(ends); k++ {
			if cost := s.joined(ends[k-1], ends[k], ends[k+1]); cost < least {
				best, least = k, cost
			}
		}
		ends = slices.Delete(ends, best, best+1)
	}
	out, wrong := &Hash{Gap: h.Gap, Width: h.Width}, 0.0
	for k, from := range ends[:len(ends)-1] {
		to := ends[k+1]
		level := s.mean(from, to)
		if k > 0 {
			out.cuts = append(out.cuts, s.w[from])
		}
		out.Levels = append(out.Levels, level)
		wrong += s.error(from, to, float64(level))
	}
	out.Error = math.Sqrt(wrong / s.squares[len(s.w)])
	return out
}

// joined is what joining two neighbouring levels, each the mean of its weights, adds
// to the sum of squared errors.
func (s *sorted) joined(from, mid, to int) float64 {
	a, b := float64(mid-from), float64(to-mid)
	d := (s.sum[mid]-s.sum[from])/a - (s.sum[to]-s.sum[mid])/b
	return d * d * a * b / (a + b)
}

func (s *sorted) mean(from, to int) float32 {
	return float32((s.sum[to] - s.sum[from]) / float64(to-from))
}
