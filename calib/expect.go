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

// Expect is the mean of f over every channel of v, as the network tells how it is
// distributed: a function of numbers that are normal within their range. It is nil
// where Stats knows nothing, or only what was Set.
func (t *Table) Expect(v *ir.Value, f func(x float64) float64) []float64 {
	s := t.state[v]
	if s == nil || s.measured || s.settle() != "" {
		return nil
	}
	out, law := make([]float64, len(s.Mean)), expectLaw()
	par.Each(len(out), runtime.GOMAXPROCS(0), func(c int) {
		mean, std, lo, hi := s.root.Mean[c], s.root.Std[c], s.root.Lo[c], s.root.Hi[c]
		for _, q := range law {
			out[c] += q.p * f(s.at(c, min(max(mean+std*q.z, lo), hi)))
		}
	})
	return out
}
