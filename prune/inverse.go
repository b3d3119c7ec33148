package prune

import (
	"errors"
	"math"

	"pare/internal/par"
)

// inverse is that of a symmetric positive definite n×n matrix, by its Cholesky
// factor.
func inverse(a []float64, n, threads int) ([]float64, error) {
	l := append([]float64(nil), a...)
	if err := factor(l, n, threads); err != nil {
		return nil, err
	}
	x := invertedTransposed(l, n, threads)
	out := make([]float64, n*n)
	par.Each(n, threads, func(i int) {
		for j := range i + 1 { // row i of the inverse of L, transposed, starts at i
			out[i*n+j] = scalar(x[i*n+i:(i+1)*n], x[j*n+i:(j+1)*n])
		}
	})
	for i := range n {
		for j := range i {
			out[j*n+i] = out[i*n+j]
		}
	}
	return out, nil
}

// factor replaces the lower half of a by L with LLᵀ = a.
func factor(a []float64, n, threads int) error {
	for j := range n {
		row := a[j*n:][:n]
		pivot := row[j] - scalar(row[:j], row[:j])
		if !(pivot > 0) {
			return errors.New("the matrix is not positive definite")
		}
		pivot = math.Sqrt(pivot)
		row[j] = pivot
		below(a, n, j, pivot, threads)
	}
	return nil
}

// run is how many rows are worked on at a time.
const run = 32

// below works out column j of the factor.
func below(a []float64, n, j int, pivot float64, threads int) {
	row := a[j*n:][:j]
	if j*(n-j) < 1<<16 {
		threads = 1
	}
	par.Each((n-j-1+run-1)/run, threads, func(k int) {
		for i := j + 1 + k*run; i < min(j+1+(k+1)*run, n); i++ {
			a[i*n+j] = (a[i*n+j] - scalar(a[i*n:][:j], row)) / pivot
		}
	})
}

// invertedTransposed is the inverse of a lower matrix, transposed: row j holds
// column j.
func invertedTransposed(l []float64, n, threads int) []float64 {
	x := make([]float64, n*n)
	par.Each(n, threads, func(j int) {
		col := x[j*n:][:n]
		col[j] = 1 / l[j*n+j]
		for i := j + 1; i < n; i++ {
			col[i] = -scalar(l[i*n+j:i*n+i], col[j:i]) / l[i*n+i]
		}
	})
	return x
}

// scalar is the scalar product; four running sums add up faster than one.
func scalar(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		s0, s1, s2, s3 = s0+a[0]*b[0], s1+a[1]*b[1], s2+a[2]*b[2], s3+a[3]*b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return s0 + s1 + s2 + s3
}
