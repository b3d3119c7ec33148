package prune

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"pare/internal/par"
)

// same is the distance of two vectors, relative to them, that rounding of 32-bit
// floats may cause.
const same = 2e-6

// twins finds rows that are the same: for every row the first like it. Rows lie in
// the order of their products with a random vector, so that few are compared.
func (j *joint) twins(threads int) []int {
	r := rand.New(rand.NewPCG(1, uint64(j.width)))
	random := make([]float64, j.width)
	for i := range random {
		random[i] = r.NormFloat64()
	}
	key, norm, order, of := make([]float64, j.n), make([]float64, j.n), make([]int, j.n), make([]int, j.n)
	par.Each(j.n, threads, func(i int) {
		for k, v := range j.row(i) {
			key[i] += random[k] * float64(v)
		}
		norm[i], order[i], of[i] = energy(j.row(i)), i, i
	})
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(key[a], key[b]) })
	for at, i := range order {
		near := 12 * same * math.Sqrt(norm[i])
		for back := at - 1; back >= 0 && key[i]-key[order[back]] <= near; back-- {
			k := order[back]
			if of[k] == k && apart(j.row(i), j.row(k)) <= same*same*(norm[i]+norm[k])/2 {
				of[i] = k
				break
			}
		}
	}
	return firsts(of)
}

// firsts makes the lowest of every cluster stand for it.
func firsts(of []int) []int {
	first := map[int]int{}
	for i, k := range of {
		if old, ok := first[k]; !ok || i < old {
			first[k] = i
		}
	}
	out := make([]int, len(of))
	for i, k := range of {
		out[i] = first[k]
	}
	return out
}
