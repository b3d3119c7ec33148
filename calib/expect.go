package calib

import (
	"runtime"
	"sync"

	"pare/internal/par"
	"pare/ir"
)

// expectSteps is the resolution of Expect: fine against the steps of a grid.
const expectSteps = 512

// expectLaw are numbers and their shares of a standard normal law.
var expectLaw = sync.OnceValue(func() (law [expectSteps]struct{ z, p float64 }) {
	all := 0.0
	for i := range law {
		z := quadReach * ((2*float64(i)+1)/expectSteps - 1)
		law[i].z, law[i].p = z, pdf(z)
		all += law[i].p
	}
	for i := range law {
		law[i].p /= all
	}
	return law
})

// Expect is the mean and the mean square of f over every channel of v, as the
// network tells how it is distributed: a function of numbers that are normal within
// their range. Both are nil where Stats knows nothing.
func (t *Table) Expect(v *ir.Value, f func(x float64) float64) (mean, square []float64) {
	s := t.state[v]
	if s == nil || s.settle() != "" {
		return nil, nil
	}
	return s.expect(f)
}

// Expect is like Table.Expect, of values with the given statistics, taken as normal
// within their range.
func Expect(s *ir.Stats, f func(x float64) float64) (mean, square []float64) {
	return newRoot(s).expect(f)
}

func (s *state) expect(f func(x float64) float64) (mean, square []float64) {
	mean, square = make([]float64, len(s.Mean)), make([]float64, len(s.Mean))
	law := expectLaw()
	par.Each(len(mean), runtime.GOMAXPROCS(0), func(c int) {
		m, std, lo, hi := s.root.Mean[c], s.root.Std[c], s.root.Lo[c], s.root.Hi[c]
		for _, q := range law {
			y := f(s.at(c, min(max(m+std*q.z, lo), hi)))
			mean[c] += q.p * y
			square[c] += q.p * y * y
		}
	})
	return mean, square
}
