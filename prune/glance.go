package prune

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"pare/ir"
	"pare/tensor"
)

// glance is what was seen of a value at some places of every sample: rows with all
// channels of one place.
type glance struct {
	channels int
	rows     []float32
}

// n is the number of rows.
func (g *glance) n() int { return len(g.rows) / max(1, g.channels) }

// add takes in the given places of t, whose channels lie along axis; nil for all
// that there are, when they are no more than limit, else as many at random. The
// same seed picks the same places.
func (g *glance) add(t *tensor.Tensor, axis, limit int, seed uint64) error {
	if axis >= len(t.Shape) {
		return fmt.Errorf("no axis %d in shape %v", axis, t.Shape)
	}
	c, inner := t.Shape[axis], tensor.Len(t.Shape[axis+1:])
	if g.channels == 0 {
		g.channels = c
	}
	if g.channels != c {
		return fmt.Errorf("%d channels after %d before", c, g.channels)
	}
	x := tensor.Float32s(t)
	for _, p := range places(len(x)/max(1, c), limit, seed) {
		at := p/inner*c*inner + p%inner
		for k := range c {
			v := x[at+k*inner]
			if v-v != 0 {
				return fmt.Errorf("the network computes numbers that are not finite")
			}
			g.rows = append(g.rows, v)
		}
	}
	return nil
}

// places picks limit of n places: one at random of each of as many equal ranges.
func places(n, limit int, seed uint64) []int {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	out := make([]int, min(n, limit))
	for i := range out {
		lo, hi := i*n/len(out), (i+1)*n/len(out)
		out[i] = lo + r.IntN(hi-lo)
	}
	return out
}

// moments are mean and variance of every channel.
func (g *glance) moments() (mean, variance []float64) {
	mean, variance = make([]float64, g.channels), make([]float64, g.channels)
	n := float64(max(1, g.n()))
	for i, v := range g.rows {
		mean[i%g.channels] += float64(v) / n
	}
	for i, v := range g.rows {
		d := float64(v) - mean[i%g.channels]
		variance[i%g.channels] += d * d / n
	}
	return mean, variance
}

// stats are the moments as statistics of a value.
func (g *glance) stats(axis int, source string) *ir.Stats {
	mean, std := g.moments()
	for c := range std {
		std[c] = math.Sqrt(std[c])
	}
	return &ir.Stats{Axis: axis, Mean: mean, Std: std, Source: source}
}

// centred is the rows less mean.
func (g *glance) centred(mean []float64) []float32 {
	out := make([]float32, len(g.rows))
	for i, v := range g.rows {
		out[i] = float32(float64(v) - mean[i%g.channels])
	}
	return out
}

// glances looks at values whose channels lie along the given axes, at no more than
// limit places of each over all samples.
func (s *samples) glances(ctx context.Context, m *ir.Model, values []*ir.Value, axes []int, limit int, seed uint64) ([]*glance, error) {
	out := make([]*glance, len(values))
	for i := range out {
		out[i] = &glance{}
	}
	per := max(1, limit/len(s.batches))
	err := s.look(ctx, m, values, func(batch int, got []*tensor.Tensor) error {
		for i, t := range got {
			if err := out[i].add(t, axes[i], per, seed+uint64(batch)); err != nil {
				return fmt.Errorf("value %q: %w", values[i].Name, err)
			}
		}
		return nil
	})
	return out, err
}
