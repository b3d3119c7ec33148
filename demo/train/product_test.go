package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The blocked products equal the plain triple loop on sizes that leave rests.
func TestProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	random := func(n int) []float32 { return newParam(n, false).normal(r, 1).v }
	for _, s := range [][3]int{{1, 1, 1}, {2, 4, 3}, {3, 5, 2}, {5, 7, 9}, {4, 8, 16}} {
		m, k, n := s[0], s[1], s[2]
		a, b, c := random(m*k), random(k*n), random(m*n)
		turned, dots := make([]float32, k*n), append([]float32{}, c...)
		transpose(turned, b, k, n)
		want := make([]float64, m*n)
		for i := range m {
			for j := range n {
				want[i*n+j] = float64(c[i*n+j])
				for p := range k {
					want[i*n+j] += float64(a[i*k+p]) * float64(b[p*n+j])
				}
			}
		}
		addProduct(c, a, b, m, k, n)
		addDots(dots, a, turned, m, n, k)
		for i, w := range want {
			if math.Abs(float64(c[i])-w) > 1e-5 || math.Abs(float64(dots[i])-w) > 1e-5 {
				t.Fatalf("%v, element %d: product %g, dots %g, want %g", s, i, c[i], dots[i], w)
			}
		}
	}
}
