package train

import (
	"context"

	"pare/ir"
	"pare/tensor"
)

// Score is what a network is worth on samples.
type Score struct {
	Samples int
	Loss    float64 // that of training, without augmentation
	Right   float64 // share of labels with the largest output, -1 without labels
}

// fewScored are measured on where none are held apart.
const fewScored = 256

// Score measures the network as it is now on the samples that are held apart, or, where
// there are none, on some of the others.
func (t *Trainer) Score(ctx context.Context) (Score, error) {
	m, err := t.copy()
	if err != nil {
		return Score{}, err
	}
	return t.scored(ctx, m)
}

// scored measures a network like the one that is trained.
func (t *Trainer) scored(ctx context.Context, m *ir.Model) (Score, error) {
	list := t.order.held
	if len(list) == 0 {
		list = t.order.train[:min(fewScored, len(t.order.train))]
	}
	run, err := t.data.Run(m, heads(m.Graph)[:len(t.loss.values)])
	if err != nil {
		return Score{}, err
	}
	c := counts{}
	fixed := ir.FixedBatch(t.m.Graph.Inputs) > 0
	for lo := 0; lo < len(list); lo += t.micro {
		if err := context.Cause(ctx); err != nil {
			return Score{}, err
		}
		hi := min(lo+t.micro, len(list))
		if fixed && hi-lo < t.micro {
			break
		}
		s, err := t.reader.samples(ctx, list[lo:hi])
		if err != nil {
			return Score{}, err
		}
		out, err := run.Run(ctx, t.named(s))
		if err != nil {
			return Score{}, err
		}
		if err := t.count(ctx, &c, out, s); err != nil {
			return Score{}, err
		}
	}
	return c.score(), nil
}

// copy is the model with what was learned.
func (t *Trainer) copy() (*ir.Model, error) {
	m := ir.CloneModel(t.m)
	return m, t.program.Store(m)
}

// counts are sums over samples.
type counts struct {
	samples, right, labels int
	loss                   float64
}

func (t *Trainer) count(ctx context.Context, c *counts, out []*tensor.Tensor, s *sample) error {
	aim, err := t.aim(ctx, s)
	if err != nil {
		return err
	}
	loss, _, err := t.loss.loss(out, aim, s, 1)
	if err != nil {
		return err
	}
	c.samples += s.rows()
	c.loss += loss * float64(s.rows())
	if !t.loss.labelled || len(s.labels) == 0 {
		return nil
	}
	x := tensor.Float32s(out[0])
	classes := len(x) / len(s.labels)
	for i, label := range s.labels {
		if label < 0 {
			continue
		}
		c.labels++
		if largest(x[i*classes:][:classes]) == label {
			c.right++
		}
	}
	return nil
}

func (c *counts) score() Score {
	s := Score{Samples: c.samples, Loss: c.loss / float64(max(1, c.samples)), Right: -1}
	if c.labels > 0 {
		s.Right = float64(c.right) / float64(c.labels)
	}
	return s
}

func largest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
