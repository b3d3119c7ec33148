package calib

import (
	"pare/tensor"

	"gonum.org/v1/gonum/mat"
)

// Pairs are what a pass over data saw of pairs of channels at the same place.
type Pairs struct {
	n    int
	mean []float64 // times n
	sum  *mat.SymDense
}

// pairPlaces bounds how many places of a sample are looked at: neighbours tell the
// same.
const pairPlaces = 128

// add takes in a result with channels along an axis.
func (p *Pairs) add(t *tensor.Tensor, axis int) {
	channels, inner := t.Shape[axis], tensor.Len(t.Shape[axis+1:])
	if p.sum == nil {
		p.mean, p.sum = make([]float64, channels), mat.NewSymDense(channels, nil)
	}
	x, places := tensor.Float32s(t), t.Len()/max(1, channels)
	step := max(1, places/max(1, t.Shape[0])/pairPlaces) | 1
	seen := mat.NewDense((places+step-1)/step, channels, nil)
	for k := range seen.RawMatrix().Rows {
		at := k * step
		from, row := at/inner*channels*inner+at%inner, seen.RawRowView(k)
		for c := range row {
			row[c] = float64(x[from+c*inner])
			p.mean[c] += row[c]
		}
	}
	p.n += seen.RawMatrix().Rows
	p.sum.SymRankK(p.sum, 1, seen.T())
}

// Covariance is that of the channels; nil where nothing was seen.
func (p *Pairs) Covariance() *mat.SymDense {
	if p.n == 0 {
		return nil
	}
	n, c := float64(p.n), mat.NewSymDense(len(p.mean), nil)
	for i, a := range p.mean {
		for j := i; j < len(p.mean); j++ {
			c.SetSym(i, j, p.sum.At(i, j)/n-a/n*(p.mean[j]/n))
		}
	}
	return c
}
