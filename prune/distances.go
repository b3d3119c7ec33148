package prune

import (
	"math"

	"pare/internal/par"
)

// distances are those between all pairs of rows, symmetric.
type distances struct {
	n int
	d []float32
}

func (d *distances) at(i, j int) float32 { return d.d[i*d.n+j] }

// strip is how many rows are compared with how many others at a time, so that
// both stay in the nearest cache.
const strip = 4

// newDistances compares all rows of j.
func newDistances(j *joint, threads int) *distances {
	d := &distances{n: j.n, d: make([]float32, j.n*j.n)}
	norms := make([]float64, j.n)
	par.Each(j.n, threads, func(i int) { norms[i] = energy(j.row(i)) })
	par.Each((j.n+strip-1)/strip, threads, func(s int) {
		lo, hi := s*strip, min((s+1)*strip, j.n)
		for k := lo; k < j.n; k += strip {
			d.block(j, norms, lo, hi, k, min(k+strip, j.n))
		}
	})
	par.Each(j.n, threads, func(i int) {
		for k := range i {
			d.d[i*d.n+k] = d.d[k*d.n+i]
		}
	})
	return d
}

// block compares rows lo..hi-1 with rows from..to-1.
func (d *distances) block(j *joint, norms []float64, lo, hi, from, to int) {
	var sums [strip][strip]float32
	if hi-lo == strip && to-from == strip {
		products(&sums, j.row(lo), j.row(lo+1), j.row(lo+2), j.row(lo+3), j.row(from), j.row(from+1), j.row(from+2), j.row(from+3))
	} else {
		for i := lo; i < hi; i++ {
			for k := from; k < to; k++ {
				sums[i-lo][k-from] = innerProduct(j.row(i), j.row(k))
			}
		}
	}
	for i := lo; i < hi; i++ {
		for k := max(from, i+1); k < to; k++ {
			both := norms[i] + norms[k]
			square := both - 2*float64(sums[i-lo][k-from])
			if square < both*cancelled {
				square = apart(j.row(i), j.row(k))
			}
			d.d[i*d.n+k] = float32(math.Sqrt(square))
		}
	}
}

// cancelled is the share of two squared norms below which their difference from
// the product has lost too many digits.
const cancelled = 1e-3

// apart is the squared distance of two vectors.
func apart(a, b []float32) (sum float64) {
	b = b[:len(a)]
	for i, v := range a {
		d := float64(v - b[i])
		sum += d * d
	}
	return sum
}

func innerProduct(a, b []float32) (sum float32) {
	b = b[:len(a)]
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// products are those of four vectors with four others; every element that is read
// is used four times.
func products(out *[strip][strip]float32, a0, a1, a2, a3, b0, b1, b2, b3 []float32) {
	n := len(a0)
	a1, a2, a3, b0, b1, b2, b3 = a1[:n], a2[:n], a3[:n], b0[:n], b1[:n], b2[:n], b3[:n]
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	for i, x := range a0 {
		y := a1[i]
		p, q, r, s := b0[i], b1[i], b2[i], b3[i]
		s00, s01, s02, s03 = s00+x*p, s01+x*q, s02+x*r, s03+x*s
		s10, s11, s12, s13 = s10+y*p, s11+y*q, s12+y*r, s13+y*s
	}
	out[0], out[1] = [strip]float32{s00, s01, s02, s03}, [strip]float32{s10, s11, s12, s13}
	s00, s01, s02, s03, s10, s11, s12, s13 = 0, 0, 0, 0, 0, 0, 0, 0
	for i, x := range a2 {
		y := a3[i]
		p, q, r, s := b0[i], b1[i], b2[i], b3[i]
		s00, s01, s02, s03 = s00+x*p, s01+x*q, s02+x*r, s03+x*s
		s10, s11, s12, s13 = s10+y*p, s11+y*q, s12+y*r, s13+y*s
	}
	out[2], out[3] = [strip]float32{s00, s01, s02, s03}, [strip]float32{s10, s11, s12, s13}
}
