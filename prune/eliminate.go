package prune

import (
	"math"

	"pare/internal/par"
)

// reading is what one layer makes of the n channels of a group: how they and its
// other operands vary together, and the weights they have. Weights are taken to
// be fitted anew whenever a channel goes, by least squares over all channels that
// are left.
type reading struct {
	// precision is the part of the inverse of the covariance of all that the layer
	// reads that belongs to the group, n×n: 1 over a diagonal entry is what is left
	// of a channel's variance once the others have told what they know of it.
	precision []float64
	// gram are the products of the columns of weights, n×n.
	gram []float64
	// worth is what a squared error of the layer's results counts.
	worth float64
}

// eliminate finds an order in which n channels may go such that each costs least
// of those that are left: its column, times what the others cannot tell of it.
// What they can tell goes to their columns. costs are the squared errors that are
// added, counted as the readings say. least channels stay out of the order.
func eliminate(readings []*reading, n, least, threads int) (order []int, costs []float64) {
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	for len(left) > least {
		at, cost := cheapest(readings, left, n)
		i := left[at]
		left = append(left[:at:at], left[at+1:]...)
		order, costs = append(order, i), append(costs, cost)
		for _, r := range readings {
			r.drop(i, left, n, threads)
		}
	}
	return order, costs
}

// cheapest is the place in left of the channel that costs least.
func cheapest(readings []*reading, left []int, n int) (at int, cost float64) {
	cost = math.Inf(1)
	for k, i := range left {
		sum := 0.0
		for _, r := range readings {
			sum += r.worth * max(0, r.gram[i*n+i]) / max(r.precision[i*n+i], math.SmallestNonzeroFloat64)
		}
		if sum < cost || k == 0 {
			at, cost = k, sum
		}
	}
	return at, cost
}

// drop takes channel i out: the others' columns take over what they tell of it.
func (r *reading) drop(i int, left []int, n, threads int) {
	p, g := r.precision[i*n:][:n], r.gram[i*n:][:n]
	share := make([]float64, n)
	for _, k := range left {
		share[k] = p[k] / p[i]
	}
	if len(left)*len(left) < 1<<14 {
		threads = 1
	}
	par.Each(len(left), threads, func(a int) {
		k := left[a]
		f, own := share[k], share[k]*g[i]-g[k]
		rowP, rowG := r.precision[k*n:][:n], r.gram[k*n:][:n]
		for _, l := range left {
			rowP[l] -= f * p[l]
			rowG[l] += own*share[l] - f*g[l]
		}
	})
}
