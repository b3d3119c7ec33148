package prune

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// samples are pictures, or whatever else a network takes, to look at what its
// layers compute: data to calibrate on, or made-up ones.
type samples struct {
	run     calib.NewRunner
	batches []map[string]*tensor.Tensor
	source  string
}

// sampleBatch bounds the memory for activations.
const sampleBatch = 8

// newSamples prepares up to n samples; why says that there are none to be had.
func newSamples(ctx context.Context, m *ir.Model, env *compress.Env, n int) (s *samples, why string, err error) {
	d := calib.Data{Run: env.Run, Samples: n}
	s = &samples{source: "synthetic inputs"}
	switch {
	case env.Data != nil:
		d, s.source = *env.Data, "calibration"
		if d.Samples == 0 || d.Samples > n {
			d.Samples = n
		}
	case env.Run == nil:
		return nil, "there are no means to run the network", nil
	default:
		if d.Set, err = calib.Noise(m, env.Input.Lo, env.Input.Hi, n, env.Seed); err != nil {
			return nil, err.Error(), nil
		}
	}
	s.run = d.Run
	if d.Inputs == nil {
		d.Inputs = calib.DefaultInputs
	}
	step := sampleBatch
	if fixed := ir.FixedBatch(m.Graph.Inputs); fixed > 0 {
		step = fixed
	}
	most := min(d.Samples, d.Set.Len())
	for lo := 0; lo+step <= most || lo == 0; lo += step {
		hi := min(lo+step, d.Set.Len())
		batch, err := d.Set.Batch(ctx, lo, hi)
		if err != nil {
			return nil, "", err
		}
		in, err := d.Inputs(m, batch)
		if err != nil {
			return nil, "", err
		}
		s.batches = append(s.batches, in)
	}
	return s, "", nil
}

// look runs m on all samples and shows visit the values of every batch. The
// tensors are overwritten by the next.
func (s *samples) look(ctx context.Context, m *ir.Model, values []*ir.Value, visit func(batch int, got []*tensor.Tensor) error) error {
	run, err := s.run(m, values)
	if err != nil {
		return err
	}
	for i, in := range s.batches {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		got, err := run.Run(ctx, in)
		if err != nil {
			return fmt.Errorf("%s: %w", s.source, err)
		}
		if err := visit(i, got); err != nil {
			return err
		}
	}
	return nil
}
