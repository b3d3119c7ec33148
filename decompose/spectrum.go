package decompose

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// spectrum says how much of what a layer computes lies along which directions.
// The layer's weights are a matrix m, and what it reads has the covariance
// L Lᵀ: the directions are singular vectors of m L.
type spectrum struct {
	matrix     *mat.Dense
	scale      []float64 // L, by column; nil for one
	energy     []float64 // squares of the singular values, falling
	directions *mat.Dense
	left       bool // of the rows; else of the columns
	total      float64
}

// newSpectrum finds at most so many directions; false where there are none.
func newSpectrum(m *mat.Dense, scale []float64, most int) (*spectrum, bool) {
	s := &spectrum{matrix: m, scale: scale}
	rows, cols := m.Dims()
	s.left = rows <= cols
	scaled := m
	if scale != nil {
		scaled = mat.DenseCopyOf(m)
		scaleColumns(scaled, scale)
	}
	var g *mat.SymDense
	if s.left {
		g = outer(scaled)
	} else {
		g = outer(mat.DenseCopyOf(scaled.T()))
	}
	s.total = mat.Trace(g)
	if !(s.total > 0) || math.IsInf(s.total, 0) {
		return nil, false
	}
	var ok bool
	s.energy, s.directions, ok = dominant(g, most)
	return s, ok
}

// lost is the share of the energy that rank directions leave out, 0 to 1.
func (s *spectrum) lost(rank int) float64 {
	kept := 0.0
	for _, e := range s.energy[:min(rank, len(s.energy))] {
		kept += e
	}
	return max(0, 1-kept/s.total)
}

// factors are the matrices a and b of the given rank whose product comes nearest
// to the matrix; what lies between them has the covariance that spread returns.
// The energy of each direction is shared evenly by the two.
func (s *spectrum) factors(rank int) (a, b *mat.Dense) {
	rows, cols := s.matrix.Dims()
	d := s.directions.Slice(0, s.directions.RawMatrix().Rows, 0, rank).(*mat.Dense)
	a, b = mat.NewDense(rows, rank, nil), mat.NewDense(rank, cols, nil)
	root := make([]float64, rank)
	for k := range root {
		root[k] = s.root(k)
	}
	if s.left {
		a.Copy(d)
		b.Mul(d.T(), s.matrix)
		scaleColumns(a, root)
		scaleRows(b, inverse(root))
		return a, b
	}
	b.Copy(d.T())
	if s.scale != nil {
		scaleColumns(b, inverse(s.scale))
	}
	scaled := mat.DenseCopyOf(s.matrix)
	if s.scale != nil {
		scaleColumns(scaled, s.scale)
	}
	a.Mul(scaled, d)
	scaleColumns(a, inverse(root))
	scaleRows(b, root)
	return a, b
}

// leastEnergy is the share of the largest energy from which a direction counts as
// empty.
const leastEnergy = 1e-14

// root is the fourth root of an energy: the deviation that both factors give what
// lies between them.
func (s *spectrum) root(k int) float64 {
	return math.Sqrt(math.Sqrt(max(s.energy[k], leastEnergy*s.energy[0])))
}

func inverse(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = 1 / v
	}
	return out
}

func scaleColumns(m *mat.Dense, by []float64) {
	rows, cols := m.Dims()
	per := cols / len(by)
	for i := range rows {
		row := m.RawRowView(i)
		for j := range row {
			row[j] *= by[j/per]
		}
	}
}

func scaleRows(m *mat.Dense, by []float64) {
	for i, f := range by {
		row := m.RawRowView(i)
		for j := range row {
			row[j] *= f
		}
	}
}
