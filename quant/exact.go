package quant

import (
	"math"

	"pare/ir"
)

// buckets is how finely a budget is divided where costs are no multiples of a number
// that fits into it mostBuckets times.
const (
	buckets     = 2000
	mostBuckets = 20000
)

// allocateExact gives every tensor the width for which the sum of what they lose is
// least while the sum of their costs stays within the budget, by dynamic programming over
// the costs beyond those of the cheapest choice. ok is false where even that costs more:
// then it is what is returned.
func allocateExact(choices []*choice, budget float64) (out map[*ir.Node]int, ok bool) {
	least := make([]int, len(choices))
	rest := budget
	for i, c := range choices {
		for k := range c.offers {
			if c.cost(k) < c.cost(least[i]) {
				least[i] = k
			}
		}
		rest -= c.cost(least[i])
	}
	if rest < -1e-9*budget {
		return widthsOf(choices, least), false
	}
	unit := bucketOf(choices, least, rest)
	n := 0
	if unit > 0 {
		n = int(rest/unit + 1e-9)
	}
	return widthsOf(choices, cheapestLoss(choices, least, n, unit)), true
}

// bucketOf is the largest number that all further costs are multiples of, or a share of
// the budget.
func bucketOf(choices []*choice, least []int, rest float64) float64 {
	unit := 0.0
	for i, c := range choices {
		for k := range c.offers {
			d := c.cost(k) - c.cost(least[i])
			if d != math.Trunc(d) || d > 1<<52 {
				return rest / buckets
			}
			for unit != 0 && d != 0 {
				unit, d = d, math.Mod(unit, d)
			}
			unit = max(unit, d)
		}
	}
	if unit == 0 || rest/unit <= mostBuckets {
		return unit
	}
	return rest / buckets
}

// cheapestLoss is the best choice for n buckets beyond the cheapest.
func cheapestLoss(choices []*choice, least []int, n int, unit float64) []int {
	best, taken := make([]float64, n+1), make([][]uint8, len(choices))
	for i, c := range choices {
		next, by := make([]float64, n+1), make([]uint8, n+1)
		for b := range next {
			next[b] = math.Inf(1)
			for k, o := range c.offers {
				if d := extra(c, k, least[i], unit); d <= b && best[b-d]+o.noise < next[b] {
					next[b], by[b] = best[b-d]+o.noise, uint8(k)
				}
			}
		}
		best, taken[i] = next, by
	}
	out := make([]int, len(choices))
	for i, b := len(choices)-1, n; i >= 0; i-- {
		out[i] = int(taken[i][b])
		b -= extra(choices[i], out[i], least[i], unit)
	}
	return out
}

// extra is what offer k costs beyond the cheapest, in buckets, rounded up.
func extra(c *choice, k, least int, unit float64) int {
	d := c.cost(k) - c.cost(least)
	if d <= 0 || unit == 0 {
		return 0
	}
	return int(math.Ceil(d/unit - 1e-9))
}

// cost is what offer k costs.
func (c *choice) cost(k int) float64 {
	if o := c.offers[k]; o.cost > 0 {
		return o.cost
	}
	return c.size * float64(c.offers[k].bits)
}

func widthsOf(choices []*choice, chosen []int) map[*ir.Node]int {
	out := map[*ir.Node]int{}
	for i, c := range choices {
		for _, n := range c.nodes {
			out[n] = c.offers[chosen[i]].bits
		}
	}
	return out
}
