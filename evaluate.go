package pare

import (
	"context"
	"fmt"

	"pare/dataset"
	"pare/eval"
)

// EvalOptions say how a model is measured.
type EvalOptions struct {
	Threads   int
	Samples   int    // at most so many; 0 for all
	Batch     int    // samples per run; 0 for 16
	Output    string // the output that is judged; "" for the first
	Against   *Model // runs on the same samples and is compared with, when not nil
	Reference bool   // run operators by their reference evaluations
	Progress  Progress
}

// Evaluate measures the model on data.
func (m *Model) Evaluate(ctx context.Context, data dataset.Set, o EvalOptions) (*eval.Result, error) {
	run := eval.Options{Samples: o.Samples, Batch: o.Batch, Output: o.Output}
	if o.Progress != nil {
		run.Progress = func(done, total int) { o.Progress("evaluation", done, total) }
	}
	net, err := m.NewSession(ctx, SessionOptions{Threads: o.Threads, Reference: o.Reference})
	if err != nil {
		return nil, err
	}
	if o.Against != nil {
		ref, err := o.Against.NewSession(ctx, SessionOptions{Threads: o.Threads, Reference: o.Reference})
		if err != nil {
			return nil, fmt.Errorf("the reference: %w", err)
		}
		run.Reference = ref
	}
	res, err := eval.Run(ctx, net, data, run)
	if err != nil {
		return nil, named(m.path, err)
	}
	res.Model = m.path
	if res.Against != nil {
		res.Against.Model = o.Against.path
	}
	return &res, nil
}
