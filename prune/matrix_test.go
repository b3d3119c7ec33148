package prune

import (
	"math"
	"math/rand/v2"
	"testing"
)

// randomCov is a random positive definite matrix.
func randomCov(r *rand.Rand, n int) []float64 {
	x := make([]float64, 2*n*n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	out := make([]float64, n*n)
	for i := range n {
		for j := range n {
			for k := range 2 * n {
				out[i*n+j] += x[i*2*n+k] * x[j*2*n+k]
			}
		}
	}
	return out
}

// TestInvert: the inverse by the factor times the matrix is one, and solve solves.
func TestInvert(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 3, 40} {
		a := randomCov(r, n)
		inv := append([]float64(nil), a...)
		cholesky(inv, n, 0, 2)
		b := make([]float64, n)
		for i := range b {
			b[i] = r.NormFloat64()
		}
		x := append([]float64(nil), b...)
		solve(inv, n, x)
		invert(inv, n, 2)
		for i := range n {
			if d := math.Abs(dot(a[i*n:][:n], x) - b[i]); d > 1e-9 {
				t.Errorf("%d: row %d of the solution is off by %v", n, i, d)
			}
			for j := range n {
				want := 0.0
				if i == j {
					want = 1
				}
				if d := math.Abs(dot(a[i*n:][:n], inv[j*n:][:n]) - want); d > 1e-9 {
					t.Errorf("%d: element %d, %d is off by %v", n, i, j, d)
				}
			}
		}
	}
}

// TestElimination: what removal costs, column by column, is what is left of their
// part given the columns that stay, worked out at once.
func TestElimination(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const c, removed = 12, 5
	w, cov := randomCov(r, c), randomCov(r, c)
	inv := append([]float64(nil), cov...)
	cholesky(inv, c, 0, 1)
	invert(inv, c, 1)
	x := &elimination{c: c, scale: 1, w: append([]float64(nil), w...), cov: inv, fits: true, gone: make([]bool, c)}
	order := r.Perm(c)
	total := 0.0
	for i := range c {
		x.at = append(x.at, []int{i})
	}
	for _, i := range order[:removed] {
		total += x.cost(i)
		x.remove(i, 1)
	}
	steps := make([]float64, c)
	behind := append(append([]int(nil), order[removed:]...), order[:removed]...)
	e := &errorModel{}
	wp, cp := permuted(w, behind), permuted(cov, behind)
	cholesky(cp, c, 0, 1)
	e.left(wp, cp, c, steps)
	want := 0.0
	for _, s := range steps[c-removed:] {
		want += s
	}
	if math.Abs(total-want) > 1e-9*want {
		t.Errorf("one by one %v, at once %v", total, want)
	}
}
