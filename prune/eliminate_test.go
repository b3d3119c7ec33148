package prune

import (
	"math"
	"math/rand/v2"
	"testing"
)

// fitted is the squared error of a layer with columns w, outputs by channels, that
// reads only the given channels of data with covariance c, weights fitted anew.
func fitted(w, c [][]float64, keep []int) float64 {
	n, k := len(c), len(keep)
	sum := 0.0
	for _, row := range w {
		// least squares by elimination of cov(keep,keep) x = cov(keep,all) row
		a := make([][]float64, k)
		for p, i := range keep {
			a[p] = make([]float64, k+1)
			for q, j := range keep {
				a[p][q] = c[i][j]
			}
			for j := range n {
				a[p][k] += c[i][j] * row[j]
			}
		}
		for p := range k {
			for q := range k {
				if q != p {
					f := a[q][p] / a[p][p]
					for s := range a[q] {
						a[q][s] -= f * a[p][s]
					}
				}
			}
		}
		diff := append([]float64(nil), row...)
		for p, i := range keep {
			diff[i] -= a[p][k] / a[p][p]
		}
		for i := range n {
			for j := range n {
				sum += diff[i] * c[i][j] * diff[j]
			}
		}
	}
	return sum
}

// TestEliminate: each step costs what fitting anew without the channel adds, and no
// other channel would have cost less.
func TestEliminate(t *testing.T) {
	const n, outputs = 9, 5
	r := rand.New(rand.NewPCG(3, 3))
	w, mix := make([][]float64, outputs), make([][]float64, n)
	for i := range w {
		for range n {
			w[i] = append(w[i], r.NormFloat64())
		}
	}
	for i := range mix {
		for range n + 3 {
			mix[i] = append(mix[i], r.NormFloat64())
		}
	}
	c, flat := make([][]float64, n), make([]float64, n*n)
	for i := range c {
		c[i] = make([]float64, n)
		for j := range c[i] {
			for k := range mix[i] {
				c[i][j] += mix[i][k] * mix[j][k]
			}
			flat[i*n+j] = c[i][j]
		}
	}
	precision, err := inverse(flat, n, 1)
	if err != nil {
		t.Fatal(err)
	}
	q := &reading{precision: precision, gram: make([]float64, n*n), worth: 2}
	for i := range n {
		for j := range n {
			for _, row := range w {
				q.gram[i*n+j] += row[i] * row[j]
			}
		}
	}
	order, costs := eliminate([]*reading{q}, n, 2, 3)
	keep := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
	before := 0.0
	for s, i := range order {
		best, least := -1, math.Inf(1)
		for _, k := range keep {
			if e := fitted(w, c, without(keep, k)); e < least {
				best, least = k, e
			}
		}
		if d := costs[s] - 2*(least-before); best != i || math.Abs(d) > 1e-6*least {
			t.Fatalf("step %d: channel %d for %v, want %d for %v", s, i, costs[s], best, 2*(least-before))
		}
		keep, before = without(keep, i), least
	}
}

func without(list []int, x int) (out []int) {
	for _, v := range list {
		if v != x {
			out = append(out, v)
		}
	}
	return out
}
