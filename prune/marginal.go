package prune

import (
	"cmp"
	"math"
	"slices"
)

// sortBy sorts by a key, equal ones as they stand.
func sortBy(list []int, key func(i int) float64) {
	slices.SortStableFunc(list, func(i, j int) int { return cmp.Compare(key(i), key(j)) })
}

// slopes are the steps of the lower convex hull of a curve that begins at 0: what
// one more unit costs on the way to the next corner.
func slopes(costs []float64) []float64 {
	out := make([]float64, len(costs)-1)
	for at := 0; at < len(out); {
		next, best := at+1, math.Inf(1)
		for n := at + 1; n < len(costs); n++ {
			if s := (costs[n] - costs[at]) / float64(n-at); s <= best {
				next, best = n, s
			}
		}
		for n := at; n < next; n++ {
			out[n] = best
		}
		at = next
	}
	return out
}

// marginally spreads removal so that what it adds to the predicted error is least for
// what it saves: units go one by one from the block where the next costs least
// for its savings, which shrink with what is gone already.
func marginally(costs map[*block][]float64) func(s *structure, want *budget) {
	return func(s *structure, want *budget) {
		steps := map[*block][]float64{}
		for _, b := range s.blocks {
			steps[b] = slopes(costs[b])
		}
		for !want.met(s) {
			var best *block
			least := math.Inf(1)
			for _, b := range s.blocks {
				if b.removed >= b.most() {
					continue
				}
				price := steps[b][b.removed]
				if want.Rate == 0 {
					price /= max(s.saving(b, want), math.SmallestNonzeroFloat32)
				}
				if best == nil || price < least {
					best, least = b, price
				}
			}
			if best == nil {
				return
			}
			s.set(best, best.removed+1)
		}
	}
}

// saving is what the next unit of b saves.
func (s *structure) saving(b *block, want *budget) float64 {
	before := want.saving(s.now)
	s.set(b, b.removed+1)
	after := want.saving(s.now)
	s.set(b, b.removed-1)
	return before - after
}
