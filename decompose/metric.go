package decompose

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// metric says what an error in the weights of a layer does to what it computes:
// the covariance of what the weights multiply, as a product of one between
// channels and one between the taps along each axis. Its factors turn weights
// into others whose errors all count alike, and back. A nil factor is that of
// the unit matrix.
type metric struct {
	channels *factor
	taps     []*factor // by axis
}

// factor is a lower factor L of a covariance L Lᵀ and its inverse.
type factor struct {
	diagonal       []float64 // the rest of it where that is all
	lower, inverse *mat.Dense
}

// newFactor factorises a covariance; nil where it is not of full rank.
func newFactor(covariance *mat.SymDense) *factor {
	var c mat.Cholesky
	if !c.Factorize(covariance) {
		return nil
	}
	var l, inv mat.TriDense
	c.LTo(&l)
	if inv.InverseTri(&l) != nil {
		return nil
	}
	return &factor{lower: mat.DenseCopyOf(&l), inverse: mat.DenseCopyOf(&inv)}
}

// smooth is the factor of taps that correlate by rho where they meet neighbours,
// by its square two apart and so on.
func smooth(taps, dilation int, rho float64) *factor {
	if taps == 1 || rho == 0 {
		return nil
	}
	c := mat.NewSymDense(taps, nil)
	for i := range taps {
		for j := i; j < taps; j++ {
			c.SetSym(i, j, math.Pow(rho, float64((j-i)*dilation)))
		}
	}
	return newFactor(c)
}

// whiten turns weights of shape [out, in, taps] into those whose errors count
// alike.
func (m *metric) whiten(weight []float64, shape []int) []float64 {
	x := m.channels.multiply(weight, shape, 1)
	for k, f := range m.taps {
		x = f.multiply(x, shape, 2+k)
	}
	return x
}

// restore undoes whiten for a layer of a chain, whose input are the channels of
// the data where it is the first. Along each axis it has all taps or one.
func (m *metric) restore(l *link, first bool) {
	if first {
		l.weight = m.channels.divide(l.weight, l.shape, 1)
	}
	for k, f := range m.taps {
		if l.shape[2+k] > 1 {
			l.weight = f.divide(l.weight, l.shape, 2+k)
		}
	}
}

// multiply multiplies x along an axis by the factor from the right.
func (f *factor) multiply(x []float64, shape []int, axis int) []float64 {
	switch {
	case f == nil:
		return x
	case f.diagonal != nil:
		return scaled(x, shape, axis, f.diagonal)
	}
	return along(x, shape, axis, f.lower)
}

// divide undoes multiply.
func (f *factor) divide(x []float64, shape []int, axis int) []float64 {
	switch {
	case f == nil:
		return x
	case f.diagonal != nil:
		return scaled(x, shape, axis, inverse(f.diagonal))
	}
	return along(x, shape, axis, f.inverse)
}

// fewTaps are too few for products of matrices to be worth their while.
const fewTaps = 8

// along multiplies x along an axis by a matrix from the right.
func along(x []float64, shape []int, axis int, by *mat.Dense) []float64 {
	size, inner, out := shape[axis], behind(shape, axis), make([]float64, len(x))
	if size <= fewTaps {
		for i := range out {
			k := i / inner % size
			for j := range size {
				out[i] += by.At(j, k) * x[i+(j-k)*inner]
			}
		}
		return out
	}
	for at := 0; at < len(x); at += size * inner {
		general(size, inner, out[at:at+size*inner]).Mul(by.T(), general(size, inner, x[at:at+size*inner]))
	}
	return out
}

// scaled multiplies x along an axis by a number for each index.
func scaled(x []float64, shape []int, axis int, by []float64) []float64 {
	inner, out := behind(shape, axis), make([]float64, len(x))
	for i, v := range x {
		out[i] = v * by[i/inner%shape[axis]]
	}
	return out
}

// behind is the number of elements for each index of an axis.
func behind(shape []int, axis int) int {
	n := 1
	for _, d := range shape[axis+1:] {
		n *= d
	}
	return n
}

func inverse(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = 1 / v
	}
	return out
}
