package decompose

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestSubspace compares the directions of a large matrix with its eigenvectors: they
// are orthonormal, and leave out little more than these, be the spectrum flat or
// steep.
func TestSubspace(t *testing.T) {
	const n, most = 300, 80
	for name, decay := range map[string]float64{"flat": 0, "steep": 0.15} {
		r := rand.New(rand.NewPCG(5, 6))
		x := mat.NewDense(n, n, nil)
		x.Apply(func(_, j int, _ float64) float64 { return r.NormFloat64() / (1 + decay*float64(j)) }, x)
		g := outer(x)
		want, _, ok := eigen(g, most)
		got, q := subspace(g, most)
		if !ok {
			t.Fatal("no eigenvectors")
		}
		var unit mat.Dense
		unit.Mul(q.T(), q)
		for i := range most {
			for j := range most {
				if d := unit.At(i, j); i == j && (d < 1-1e-9 || d > 1+1e-9) || i != j && (d > 1e-9 || d < -1e-9) {
					t.Fatalf("%s: columns %d and %d have the product %v", name, i, j, d)
				}
			}
		}
		for _, k := range []int{8, 40, most} {
			best, left := mat.Trace(g)-sum(want[:k]), mat.Trace(g)-sum(got[:k])
			if left < best*(1-1e-9) || left > best*1.08 {
				t.Errorf("%s, rank %d: %.5g is left out, at least %.5g must be", name, k, left, best)
			}
		}
	}
}
