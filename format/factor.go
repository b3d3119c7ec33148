package format

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"

	"pare/internal/par"
)

// factor is R of H + diag(added) = R·Rᵀ, R upper triangular, H being products of data
// with rows and columns in an order.
type factor struct {
	order []int
	r     []float64 // k·k
	added []float64
	damp  float64 // relative to the mean of the diagonal
}

func (f *factor) triangular() blas64.Triangular {
	return blas64.Triangular{N: len(f.order), Stride: len(f.order), Data: f.r, Uplo: blas.Upper, Diag: blas.NonUnit}
}

// mostDamping is how often damping may grow tenfold.
const mostDamping = 4

// factors are those of all products, nil for those that have none.
func (c *compensator) factors() []*factor {
	out := make([]*factor, len(c.Products))
	par.Each(len(out), c.Threads, func(i int) { out[i] = c.factor(c.Products[i]) })
	return out
}

// factor returns nil where h is singular, or not finite.
func (c *compensator) factor(h []float64) *factor {
	k := c.k
	f := &factor{order: make([]int, k), r: make([]float64, k*k), added: make([]float64, k)}
	mean := 0.0
	for i := range k {
		f.order[i] = i
		mean += h[i*k+i] / float64(k)
	}
	if !(mean > 0) || math.IsInf(mean, 0) {
		return nil
	}
	if c.Ordered {
		slices.SortStableFunc(f.order, func(a, b int) int { return cmp.Compare(h[b*k+b], h[a*k+a]) })
	}
	f.damp = c.Damp
	for range 1 + mostDamping {
		for i, from := range f.order {
			f.added[i] = f.damp * mean
			if h[from*k+from] == 0 {
				f.added[i] = mean // nothing meets this weight
			}
		}
		if f.decompose(h) {
			return f
		}
		f.damp *= 10
	}
	return nil
}

// decompose fills r in and reports whether it could. With rows and columns in reverse
// order the upper factor is the lower one, which is the transpose of what LAPACK finds.
func (f *factor) decompose(h []float64) bool {
	k := len(f.order)
	back := blas64.Symmetric{N: k, Stride: k, Data: f.r, Uplo: blas.Upper}
	for i, a := range f.order {
		for j, b := range f.order[:i+1] {
			f.r[(k-1-i)*k+k-1-j] = h[a*k+b]
		}
		f.r[(k-1-i)*k+k-1-i] += f.added[i]
	}
	if _, ok := lapack64.Potrf(back); !ok {
		return false
	}
	for i := range k { // r[i][j] is the factor's [k-1-j][k-1-i]
		for j := i; j < k; j++ {
			a, b := i*k+j, (k-1-j)*k+k-1-i
			if a < b {
				f.r[a], f.r[b] = f.r[b], f.r[a]
			}
		}
	}
	for i := range k {
		clear(f.r[i*k : i*k+i])
		if d := f.r[i*k+i]; !(d > 0) || math.IsInf(d, 0) {
			return false
		}
	}
	return true
}
