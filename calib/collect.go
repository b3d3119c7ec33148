package calib

import (
	"context"
	"fmt"
	"runtime"

	"pare/dataset"
	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// Request asks for the statistics of one value. Axis is the channel axis, -1
// for statistics of the tensor as a whole.
type Request struct {
	Value *ir.Value
	Axis  int
	// Moments asks for moments and ranges alone, without what Percentile, Best and
	// Clip need.
	Moments bool
	// Pairs asks for products of channels and of neighbouring places, too.
	Pairs bool
}

// Runner evaluates a network on one batch and returns the values it was made
// for, in their order. The tensors may be overwritten by the next call.
type Runner interface {
	Run(ctx context.Context, inputs map[string]*tensor.Tensor) ([]*tensor.Tensor, error)
}

// NewRunner prepares m to return the given values, which are values of m's
// graph.
type NewRunner func(m *ir.Model, values []*ir.Value) (Runner, error)

// Data are the samples to calibrate on and the means to run them.
type Data struct {
	Set     dataset.Set
	Samples int // 0 for all
	Batch   int // samples per run, 16 when 0
	Run     NewRunner
	// Inputs turns a batch into the network's inputs by name. When nil, the
	// batch's inputs are used, "" standing for the first input without a
	// default.
	Inputs func(m *ir.Model, b dataset.Batch) (map[string]*tensor.Tensor, error)
}

// Collect answers requests by one pass over the data. Requests for the same
// value are answered once, with the axis of the first. done is called after
// every batch with the number of samples so far; it may be nil.
func Collect(ctx context.Context, m *ir.Model, d Data, requests []Request, done func(n, of int)) (map[*ir.Value]*Observed, error) {
	out := map[*ir.Value]*Observed{}
	var values []*ir.Value
	for _, r := range requests {
		if out[r.Value] == nil && r.Value.Const == nil {
			out[r.Value] = newObserved(r.Axis, r.Moments)
			if r.Pairs {
				out[r.Value].Pairs = &Pairs{}
			}
			values = append(values, r.Value)
		}
	}
	if len(values) == 0 {
		return out, nil
	}
	err := Each(ctx, m, d, values, func(results []*tensor.Tensor) error {
		errs := make([]error, len(values))
		par.Each(len(values), runtime.GOMAXPROCS(0), func(i int) {
			if results[i].Len() > 0 {
				errs[i] = out[values[i]].add(results[i])
			}
		})
		for i, err := range errs {
			if err != nil {
				return fmt.Errorf("value %q: %w", values[i].Name, err)
			}
		}
		return nil
	}, done)
	return out, err
}

// Each runs m on the samples, in order, and calls f with what values are in each batch;
// they are valid until f returns. done is called after every batch with the number of
// samples so far; it may be nil.
func Each(ctx context.Context, m *ir.Model, d Data, values []*ir.Value, f func(results []*tensor.Tensor) error, done func(n, of int)) error {
	run, err := d.Run(m, values)
	if err != nil {
		return err
	}
	n, step := d.Set.Len(), d.Batch
	if d.Samples > 0 {
		n = min(n, d.Samples)
	}
	if step == 0 {
		step = 16
	}
	if fixed := ir.FixedBatch(m.Graph.Inputs); fixed > 0 {
		if step = fixed; n < step {
			return fmt.Errorf("%d samples to calibrate on, but the network takes %d at a time", n, step)
		}
		n -= n % step
	}
	for lo := 0; lo < n; lo += step {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		hi := min(lo+step, n)
		results, err := d.results(ctx, m, run, lo, hi)
		if err == nil {
			err = f(results)
		}
		if err != nil {
			return fmt.Errorf("calibration, samples %d to %d: %w", lo, hi-1, err)
		}
		if done != nil {
			done(hi, n)
		}
	}
	return nil
}

// results are the values of samples lo to hi-1.
func (d Data) results(ctx context.Context, m *ir.Model, run Runner, lo, hi int) ([]*tensor.Tensor, error) {
	batch, err := d.Set.Batch(ctx, lo, hi)
	if err != nil {
		return nil, err
	}
	inputs := d.Inputs
	if inputs == nil {
		inputs = DefaultInputs
	}
	in, err := inputs(m, batch)
	if err != nil {
		return nil, err
	}
	return run.Run(ctx, in)
}

// DefaultInputs names the batch's inputs as the model does: "" becomes the
// first input without a default.
func DefaultInputs(m *ir.Model, b dataset.Batch) (map[string]*tensor.Tensor, error) {
	out := map[string]*tensor.Tensor{}
	for name, t := range b.Inputs {
		if name == "" {
			for _, v := range m.Graph.Inputs {
				if v.Const == nil {
					name = v.Name
					break
				}
			}
		}
		out[name] = t
	}
	return out, nil
}
