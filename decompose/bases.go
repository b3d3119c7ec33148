package decompose

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// bases are directions along both channel axes of a layer's whitened weights, as
// columns by falling energy.
type bases struct {
	out, in *mat.Dense
	total   float64 // energy of the weights
}

// newBases are the singular vectors of the weights unfolded along each axis; nil
// where there are none.
func newBases(s *site) *bases {
	x, taps := s.white(), s.tapCount()
	byOut := outer(general(s.out, s.in*taps, x))
	b := &bases{total: mat.Trace(byOut)}
	if !(b.total > 0) || math.IsInf(b.total, 0) {
		return nil
	}
	var okOut, okIn bool
	_, b.out, okOut = dominant(byOut, s.out)
	_, b.in, okIn = dominant(outer(byChannel(x, s.out, s.in, taps)), s.in)
	if !okOut || !okIn {
		return nil
	}
	return b
}

// kept is the energy that the first directions of both axes hold together: the
// element in row o and column i is that of the first o+1 and i+1.
func (b *bases) kept(s *site) *mat.Dense {
	taps := s.tapCount()
	core := onIn(onOut(s.white(), b.out), s.out, taps, b.in)
	sums := mat.NewDense(s.out, s.in, nil)
	above := make([]float64, s.in)
	for o := range s.out {
		left := 0.0
		for i := range s.in {
			for _, v := range core[(o*s.in+i)*taps:][:taps] {
				left += v * v
			}
			above[i] += left
			sums.Set(o, i, above[i])
		}
	}
	return sums
}

// When fitting ends.
const (
	fitRounds = 10
	fitGain   = 1e-4 // of the energy of the weights
)

// chain is the layer at the given ranks: the directions of each axis are found
// anew among what those of the other leave, until that gains nothing.
func (b *bases) chain(s *site, rankOut, rankIn int) *chain {
	x, taps := s.white(), s.tapCount()
	out, in := columns(b.out, rankOut), columns(b.in, rankIn)
	kept := 0.0
	for round := range fitRounds {
		_, u, okOut := dominant(outer(general(s.out, rankIn*taps, onIn(x, s.out, taps, in))), rankOut)
		if !okOut {
			break
		}
		energy, v, okIn := dominant(outer(byChannel(onOut(x, u), rankOut, s.in, taps)), rankIn)
		now := sum(energy)
		if !okIn || now <= kept+fitGain*b.total && round > 0 {
			break
		}
		out, in, kept = u, v, now
	}
	core := onIn(onOut(x, out), rankOut, taps, in)
	plain := ones(len(s.taps))
	c := s.newChain([]link{
		newLink(in.T(), "reduce", plain, nil),
		newLink(general(rankOut, rankIn*taps, core), "core", s.taps, s.axes()),
		newLink(out, "", plain, nil),
	})
	c.lost = max(0, 1-energyOf(core)/b.total)
	return c
}

// columns are the first so many of m.
func columns(m *mat.Dense, n int) *mat.Dense {
	rows, _ := m.Dims()
	return mat.DenseCopyOf(m.Slice(0, rows, 0, n))
}

// byChannel lays weights of shape [out, in, taps] out as [in, out, taps].
func byChannel(x []float64, out, in, taps int) *mat.Dense {
	m := mat.NewDense(in, out*taps, nil)
	for o := range out {
		for i := range in {
			copy(m.RawRowView(i)[o*taps:][:taps], x[(o*in+i)*taps:][:taps])
		}
	}
	return m
}

// onOut multiplies the first axis of x by the transpose of u.
func onOut(x []float64, u *mat.Dense) []float64 {
	rows, rank := u.Dims()
	y := make([]float64, len(x)/rows*rank)
	general(rank, len(x)/rows, y).Mul(u.T(), general(rows, len(x)/rows, x))
	return y
}

// onIn multiplies the second axis of x, of shape [out, in, taps], by the transpose
// of u.
func onIn(x []float64, out, taps int, u *mat.Dense) []float64 {
	in, rank := u.Dims()
	y := make([]float64, out*rank*taps)
	for o := range out {
		general(rank, taps, y[o*rank*taps:][:rank*taps]).Mul(u.T(), general(in, taps, x[o*in*taps:][:in*taps]))
	}
	return y
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

func energyOf(x []float64) (s float64) {
	for _, v := range x {
		s += v * v
	}
	return s
}
