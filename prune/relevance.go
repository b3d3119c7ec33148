package prune

import (
	"errors"
	"fmt"
	"math"
)

// Sampling are the parameters of criteria that look at gradients.
type Sampling struct {
	Norm        int     `json:"norm" doc:"norm over the weights of a channel, 1 or 2"`
	Batches     int     `json:"batches" doc:"batches that gradients are taken of"`
	Batch       int     `json:"batch" doc:"samples of a batch, where the network leaves that open"`
	Aim         string  `json:"aim" doc:"what gradients are those of the distance from: labels, where there are some, or the answers of the network as it was" values:"labels|answers"`
	Temperature float64 `json:"temperature" doc:"at which classes are compared: higher looks at unlikely ones, too"`
}

func (q *Sampling) check() error {
	switch {
	case q.Norm != 1 && q.Norm != 2:
		return errors.New("norm is neither 1 nor 2")
	case q.Batches < 1 || q.Batches > 1e6:
		return fmt.Errorf("batches=%d is not in 1..1000000", q.Batches)
	case !(q.Temperature >= 0.1 && q.Temperature <= 100):
		return fmt.Errorf("temperature=%v is not in 0.1..100", q.Temperature)
	case q.Batch < 1 || q.Batch > 1e6:
		return fmt.Errorf("batch=%d is not in 1..1000000", q.Batch)
	}
	return nil
}

// Journey are the parameters of criteria that follow a path from the weights as they
// are to nothing.
type Journey struct {
	Mu    float64 `json:"mu" doc:"ratio of the path, whose points are the weights times 1, mu, mu², ..."`
	Steps int     `json:"steps" doc:"steps of the path; at its end, mu to this power, little should be left"`
	Path  string  `json:"path" doc:"scale all channels of a group at once, or one at a time, which takes as many times as long" values:"joint|exact"`
}

func (q *Journey) check() error {
	switch {
	case !(q.Mu > 0 && q.Mu < 1):
		return fmt.Errorf("mu=%v is not between 0 and 1", q.Mu)
	case q.Steps < 0 || q.Steps > 10000:
		return fmt.Errorf("steps=%d is not in 0..10000", q.Steps)
	}
	return nil
}

// relevance is a criterion that looks at gradients: one row of the table.
type relevance struct {
	path  bool                                // sums over the path; otherwise, where the network stands
	entry func(weight, slope float64) float64 // of one weight
	// gather adds what one pass told of a unit: the norm of its entries, and the sum of
	// weight times gradient.
	gather func(norm, signed float64) float64
}

// relevances are the criteria by name.
var relevances = map[string]relevance{
	"singe":           {true, weighted, normed},
	"integrated":      {true, alone, normed},
	"gradient-weight": {false, weighted, normed},
	"gradient":        {false, alone, normed},
	"taylor":          {false, weighted, squared},
}

func weighted(weight, slope float64) float64 { return weight * slope }
func alone(_, slope float64) float64         { return slope }
func normed(norm, _ float64) float64         { return norm }
func squared(_, signed float64) float64      { return signed * signed }

// reading is what one pass told of the units of a group: the norm of their entries,
// and the sum of weight times gradient.
type reading struct{ norms, signed []float64 }

// read takes the reading of bundles at t.
func (r *relevance) read(list []*bundle, t float64, norm, units int) *reading {
	out := &reading{make([]float64, units), make([]float64, units)}
	for _, b := range list {
		b.read(r, t, norm, out)
	}
	return out
}

// read adds the norms of a layer's units, over their weights and what is added to
// their results, which counts as one number.
func (b *bundle) read(r *relevance, t float64, norm int, out *reading) {
	units := append(b.weights, b.offsets...)[0].units
	powers, added := make([]float64, len(units)), make([]float64, len(units))
	for _, s := range b.weights {
		s.read(r, t, powers, out.signed, func(x float64) float64 { return power(x, norm) })
	}
	for _, s := range b.offsets {
		s.read(r, t, added, out.signed, func(x float64) float64 { return x })
	}
	for p, k := range units {
		if k >= 0 {
			out.norms[k] += root(powers[p]+power(added[p], norm), norm)
		}
	}
}

// read adds f of the entries by position to sums, and weight times gradient by unit to
// signed.
func (s *strand) read(r *relevance, t float64, sums, signed []float64, f func(x float64) float64) {
	for o := 0; o < len(s.part); o += len(s.units) * s.inner {
		for p, k := range s.units {
			if k < 0 {
				continue
			}
			at := o + p*s.inner
			slopes := s.param.Grad[at:][:s.inner]
			for i, x := range s.part[at:][:s.inner] {
				weight, slope := t*float64(x), float64(slopes[i])
				sums[p] += f(r.entry(weight, slope))
				signed[k] += weight * slope
			}
		}
	}
}

func power(x float64, norm int) float64 {
	if norm == 2 {
		return x * x
	}
	return math.Abs(x)
}

func root(x float64, norm int) float64 {
	if norm == 2 {
		return math.Sqrt(x)
	}
	return x
}
