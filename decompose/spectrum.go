package decompose

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// spectrum is what a product of low rank may keep of a matrix: its singular
// vectors on the shorter side, by falling singular value.
type spectrum struct {
	energy     []float64 // squares of the singular values, falling
	directions *mat.Dense
	left       bool // of the rows; else of the columns
	total      float64
}

// newSpectrum finds at most so many directions; nil where there are none.
func newSpectrum(m *mat.Dense, most int) *spectrum {
	rows, cols := m.Dims()
	s := &spectrum{left: rows <= cols}
	short := m
	if !s.left {
		short = mat.DenseCopyOf(m.T())
	}
	g := outer(short)
	s.total = mat.Trace(g)
	if !(s.total > 0) || math.IsInf(s.total, 0) {
		return nil
	}
	ok := false
	if s.energy, s.directions, ok = dominant(g, most); !ok {
		return nil
	}
	return s
}

// lost is the share of the energy that rank directions leave out, 0 to 1.
func (s *spectrum) lost(rank int) float64 {
	kept := 0.0
	for _, e := range s.energy[:rank] {
		kept += e
	}
	return max(0, 1-kept/s.total)
}

// factors are the matrices of the given rank whose product comes nearest to m, the
// matrix that the spectrum is of. The size of each direction is shared by the two.
func (s *spectrum) factors(m *mat.Dense, rank int) (a, b *mat.Dense) {
	rows, cols := m.Dims()
	n, _ := s.directions.Dims()
	d := s.directions.Slice(0, n, 0, rank)
	a, b = mat.NewDense(rows, rank, nil), mat.NewDense(rank, cols, nil)
	if s.left {
		a.Copy(d)
		b.Mul(d.T(), m)
	} else {
		a.Mul(m, d)
		b.Copy(d.T())
	}
	for k := range rank {
		size := s.root(k)
		if s.left {
			size = 1 / size
		}
		for i := range rows {
			a.Set(i, k, a.At(i, k)/size)
		}
		for j := range cols {
			b.Set(k, j, b.At(k, j)*size)
		}
	}
	return a, b
}

// leastEnergy is the share of the largest energy from which a direction counts as
// empty.
const leastEnergy = 1e-14

// root is the square root of a singular value.
func (s *spectrum) root(k int) float64 {
	return math.Sqrt(math.Sqrt(max(s.energy[k], leastEnergy*s.energy[0])))
}
