package cost_test

import (
	"math"

	"pare/cost"
)

// brute counts by looking every weight up among those before it.
func brute(w cost.Weights) (r cost.Reuse) {
	at := func(g, o, i, t int) float64 {
		return float64(w.Values[g*w.Steps.Group+o*w.Steps.Out+i*w.Steps.In+t*w.Steps.Tap])
	}
	meets := func(t int) int {
		if w.Meets == nil {
			return 0
		}
		return w.Meets[t]
	}
	for g := range w.Groups {
		for i := range w.In {
			type product struct {
				magnitude float64
				meets     int
			}
			products := map[product]bool{}
			var kernels [][]float64
			for o := range w.Out {
				kernel := make([]float64, w.Taps)
				zero := true
				for t := range w.Taps {
					x := at(g, o, i, t)
					kernel[t] = x
					if x == 0 {
						continue
					}
					zero = false
					r.NonZero++
					products[product{math.Abs(x), meets(t)}] = true
				}
				if zero {
					continue
				}
				if w.Taps > 1 {
					r.Kernels++
				}
				kernels = addNew(kernels, kernel, func(a, b []float64) bool { return proportional(a, b, 1) || proportional(a, b, -1) })
			}
			if len(products) == 0 {
				r.Unread++
			}
			for p := range products {
				r.Products++
				if p.magnitude == 1 {
					r.Ones++
				}
			}
			if w.Taps > 1 {
				r.Distinct += int64(len(kernels))
			}
		}
	}
	for g := range w.Groups {
		for o := range w.Out {
			dead := true
			for i := range w.In {
				for t := range w.Taps {
					dead = dead && at(g, o, i, t) == 0
				}
			}
			if dead {
				r.Constant++
			}
		}
	}
	return r
}

func addNew(list [][]float64, k []float64, equal func(a, b []float64) bool) [][]float64 {
	for _, other := range list {
		if equal(k, other) {
			return list
		}
	}
	return append(list, k)
}

// proportional reports whether b is a times c.
func proportional(a, b []float64, c float64) bool {
	for t := range a {
		if math.Abs(a[t]*c-b[t]) > 1e-6*math.Abs(b[t]) {
			return false
		}
	}
	return c != 0
}
