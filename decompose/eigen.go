package decompose

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// exactSize is the largest matrix whose eigenvectors are worked out one and all:
// the time for these grows with the third power, and badly.
const exactSize = 256

// powers is how often a subspace is multiplied by a larger matrix. What it then
// leaves out is within a few per cent of the least possible even where the spectrum
// is flat.
const powers = 3

// dominant finds the directions of most energy of a positive semidefinite
// matrix: at most so many, as orthonormal columns by falling energy. The result
// does not depend on the number of threads. It is false where the matrix has no
// decomposition, as one with infinite elements.
func dominant(g *mat.SymDense, most int) (energy []float64, directions *mat.Dense, ok bool) {
	most = min(most, g.SymmetricDim())
	if g.SymmetricDim() > exactSize {
		energy, directions = subspace(g, most)
		return energy, directions, true
	}
	return eigen(g, most)
}

// eigen is dominant by the decomposition of the whole matrix.
func eigen(g *mat.SymDense, most int) (energy []float64, directions *mat.Dense, ok bool) {
	var e mat.EigenSym
	if !e.Factorize(g, true) {
		return nil, nil, false
	}
	var v mat.Dense
	e.VectorsTo(&v)
	all, n := e.Values(nil), g.SymmetricDim()
	energy, directions = make([]float64, most), mat.NewDense(n, most, nil)
	for k := range most {
		energy[k] = max(0, all[n-1-k])
		directions.SetCol(k, mat.Col(nil, n-1-k, &v))
	}
	return energy, directions, true
}

// subspace is dominant by powers of the matrix from a random start, which turn its
// columns to the directions of most energy, the first ones most.
func subspace(symmetric *mat.SymDense, most int) (energy []float64, directions *mat.Dense) {
	n := symmetric.SymmetricDim()
	g := mat.DenseCopyOf(symmetric) // products with which are faster
	r := rand.New(rand.NewPCG(uint64(n), uint64(most)))
	q, next := mat.NewDense(n, most, nil), mat.NewDense(n, most, nil)
	for i := range n {
		for k := range most {
			q.Set(i, k, r.NormFloat64())
		}
	}
	for range powers {
		next.Mul(g, q)
		q, next = next, q
	}
	orthonormal(q)
	next.Mul(g, q)
	list := make([]direction, most)
	for k := range list {
		list[k] = direction{mat.Dot(q.ColView(k), next.ColView(k)), k}
	}
	slices.SortStableFunc(list, byEnergy)
	energy = make([]float64, most)
	for to, d := range list {
		energy[to] = max(0, d.energy)
		next.SetCol(to, mat.Col(nil, d.column, q))
	}
	return energy, next
}

// direction is a column with the energy along it.
type direction struct {
	energy float64
	column int
}

func byEnergy(a, b direction) int {
	switch {
	case a.energy > b.energy:
		return -1
	case a.energy < b.energy:
		return 1
	}
	return 0
}

// orthonormal makes the columns of a tall matrix orthonormal, in place.
func orthonormal(q *mat.Dense) {
	raw := q.RawMatrix()
	tau := make([]float64, raw.Cols)
	work := []float64{0}
	lapack64.Geqrf(raw, tau, work, -1)
	work = make([]float64, int(work[0]))
	lapack64.Geqrf(raw, tau, work, len(work))
	lapack64.Orgqr(raw, tau, work, len(work))
}

// outer is x xᵀ.
func outer(x *mat.Dense) *mat.SymDense {
	var g mat.SymDense
	g.SymOuterK(1, x)
	return &g
}

// general is x as a matrix of the given shape, without a copy.
func general(rows, cols int, x []float64) *mat.Dense {
	return mat.NewDense(rows, cols, x)
}
