package prune

import (
	"cmp"
	"math"
	"slices"
)

// merge makes one cluster of two: that of unit goes into that of into. cost is
// what it costs, in the units of the distances that it comes from.
type merge struct {
	unit, into int
	cost       float64
}

// linkage turns distances into merges of n units into one, in order of their cost:
// the first k of them leave n-k clusters.
type linkage func(d *distances) []merge

var linkages = map[string]linkage{"components": components, "complete": complete}

// components are the clusters that are connected by pairs within a distance: the
// edges of the shortest spanning tree, in order.
func components(d *distances) []merge {
	near, to := make([]float32, d.n), make([]int, d.n)
	for i := range near {
		near[i] = float32(math.Inf(1))
	}
	in, last := make([]bool, d.n), 0
	var tree []merge
	for range d.n - 1 {
		in[last] = true
		next := -1
		for i := range d.n {
			if in[i] {
				continue
			}
			if x := d.at(last, i); x < near[i] {
				near[i], to[i] = x, last
			}
			if next < 0 || near[i] < near[next] {
				next = i
			}
		}
		tree = append(tree, merge{next, to[next], float64(near[next])})
		last = next
	}
	slices.SortStableFunc(tree, byCost)
	return tree
}

func byCost(a, b merge) int { return cmp.Compare(a.cost, b.cost) }

// complete are clusters no two units of which are further apart than the distance:
// a chain of nearest neighbours is followed until two are each other's.
func complete(d *distances) []merge {
	d = &distances{d.n, slices.Clone(d.d)}
	alive := make([]bool, d.n)
	for i := range alive {
		alive[i] = true
	}
	var chain []int
	var out []merge
	for len(out) < d.n-1 {
		if len(chain) == 0 {
			chain = append(chain, slices.Index(alive, true))
		}
		tip := chain[len(chain)-1]
		prev := -1
		if len(chain) > 1 {
			prev = chain[len(chain)-2]
		}
		next := d.nearest(tip, prev, alive)
		if next != prev {
			chain = append(chain, next)
			continue
		}
		chain = chain[:len(chain)-2]
		a, b := max(tip, prev), min(tip, prev)
		out = append(out, merge{a, b, float64(d.at(a, b))})
		alive[a] = false
		for k := range d.n {
			x := max(d.at(a, k), d.at(b, k))
			d.d[b*d.n+k], d.d[k*d.n+b] = x, x
		}
	}
	slices.SortStableFunc(out, byCost)
	return out
}

// nearest is the cluster nearest to i, prev among equals.
func (d *distances) nearest(i, prev int, alive []bool) int {
	best := prev
	for k := range d.n {
		if k != i && alive[k] && (best < 0 || d.at(i, k) < d.at(i, best)) {
			best = k
		}
	}
	return best
}

// clusters are what the first k merges make: for every unit the lowest unit of
// its cluster.
func clusters(n int, merges []merge) []int {
	of := make([]int, n)
	for i := range of {
		of[i] = i
	}
	find := func(i int) int {
		for of[i] != i {
			of[i] = of[of[i]]
			i = of[i]
		}
		return i
	}
	for _, m := range merges {
		a, b := find(m.unit), find(m.into)
		of[max(a, b)] = min(a, b)
	}
	for i := range of {
		of[i] = find(i)
	}
	return of
}
