package calib

import (
	"pare/tensor"

	"gonum.org/v1/gonum/mat"
)

// Pairs are what a pass over data saw of pairs of numbers: of channels at the same
// place, and of places at some distance in the same channel.
type Pairs struct {
	n    float64
	mean []float64
	sum  *mat.SymDense // of the products of channels
	// near holds for every spatial axis the sum of products of places 0, 1, 2...
	// apart, and how many there were.
	near, count [][]float64
}

// mostApart is the largest distance of places that is looked at.
const mostApart = 4

// mostPlaces bounds how many places of a sample are looked at: neighbours tell the
// same.
const mostPlaces = 512

// add takes in a result with channels along an axis.
func (p *Pairs) add(t *tensor.Tensor, axis int) {
	x, channels, inner := tensor.Float32s(t), t.Shape[axis], tensor.Len(t.Shape[axis+1:])
	if p.sum == nil {
		p.mean, p.sum = make([]float64, channels), mat.NewSymDense(channels, nil)
	}
	outer := len(x) / (channels * inner)
	step := 1
	for inner*outer/max(1, t.Shape[0])/step > mostPlaces {
		step += 2
	}
	var rows []float64
	for at := 0; at < inner*outer; at += step {
		from := at/inner*channels*inner + at%inner
		for c := range channels {
			v := float64(x[from+c*inner])
			rows = append(rows, v)
			p.mean[c] += v
		}
	}
	n := len(rows) / channels
	p.n += float64(n)
	m := mat.NewDense(n, channels, rows)
	p.sum.SymRankK(p.sum, 1, m.T())
	if axis == 1 {
		p.neighbours(x, t.Shape)
	}
}

// neighbours takes in products of places.
func (p *Pairs) neighbours(x []float32, shape []int) {
	if p.near == nil {
		for range shape[2:] {
			p.near, p.count = append(p.near, make([]float64, mostApart+1)), append(p.count, make([]float64, mostApart+1))
		}
	}
	for k := range shape[2:] {
		size, inner := shape[2+k], tensor.Len(shape[3+k:])
		for d := range min(mostApart+1, size) {
			sum := 0.0
			for at := 0; at < len(x); at += size * inner {
				line := x[at : at+size*inner]
				for i, v := range line[:(size-d)*inner] {
					sum += float64(v) * float64(line[i+d*inner])
				}
			}
			p.near[k][d] += sum
			p.count[k][d] += float64(len(x) / size * (size - d))
		}
	}
}

// Covariance is that of the channels.
func (p *Pairs) Covariance() *mat.SymDense {
	c := mat.NewSymDense(len(p.mean), nil)
	for i := range p.mean {
		for j := i; j < len(p.mean); j++ {
			c.SetSym(i, j, p.sum.At(i, j)/p.n-p.mean[i]*p.mean[j]/(p.n*p.n))
		}
	}
	return c
}

// Correlation of places at distances 0, 1, 2... along a spatial axis.
func (p *Pairs) Correlation(axis int) []float64 {
	if p.near == nil {
		return nil
	}
	square := 0.0
	for _, s := range p.mean {
		square += s * s / (p.n * p.n) / float64(len(p.mean))
	}
	var out []float64
	for d := range p.near[axis] {
		if p.count[axis][d] > 0 {
			out = append(out, p.near[axis][d]/p.count[axis][d]-square)
		}
	}
	for d := len(out) - 1; d >= 0; d-- {
		out[d] /= out[0]
	}
	return out
}
