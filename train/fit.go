package train

import (
	"context"
	"errors"
	"fmt"

	"pare/calib"
	"pare/ir"
)

// Keep runs make, which fills into, unless an interrupted run has kept what it made
// under the key.
type Keep func(key string, into any, make func() error) error

// Result says how a training went.
type Result struct {
	Start, End Score   // on samples that were held apart
	Curve      []Score // behind every epoch
	Steps      int
	Epochs     int
	Samples    int // learned from
	Best       int // epoch behind which the network was best; 0 for the start
	// Diverged says where training got out of hand, nil where it did not.
	Diverged error
}

// Fit trains m for Options.Steps and leaves in it the best network among the start and
// those behind every epoch, measured on the samples held apart. At the end the
// statistics of batch-norms are estimated again where that is better. keep may be nil.
func Fit(ctx context.Context, m *ir.Model, data calib.Data, o Options, keep Keep) (*Result, error) {
	t, err := New(ctx, m, data, o)
	if err != nil {
		return nil, err
	}
	if keep == nil {
		keep = func(_ string, _ any, make func() error) error { return make() }
	}
	f := &fit{t: t, keep: keep, r: Result{Samples: len(t.order.train)}}
	if err := f.start(ctx); err != nil {
		return nil, err
	}
	if err := f.epochs(ctx); err != nil {
		return nil, err
	}
	return f.finish(ctx)
}

// fit is a training on its way.
type fit struct {
	t    *Trainer
	keep Keep
	r    Result
	best map[string][]float32
}

// round is what an epoch leaves.
type round struct {
	Checkpoint *Checkpoint
	Score      Score
	Diverged   string
}

func (f *fit) start(ctx context.Context) error {
	f.best = weightsOf(f.t.m)
	return f.keep("start", &f.r.Start, func() (err error) {
		f.r.Start, err = f.t.Score(ctx)
		return err
	})
}

func (f *fit) epochs(ctx context.Context) error {
	f.r.End = f.r.Start
	for epoch := 1; f.t.done < f.t.o.Steps; epoch++ {
		var r round
		err := f.keep(fmt.Sprintf("epoch %d", epoch), &r, func() (err error) {
			r, err = f.epoch(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if r.Diverged != "" {
			f.r.Diverged = errors.New(r.Diverged)
			return nil
		}
		if r.Checkpoint.Done > f.t.done {
			if err := f.t.Restore(r.Checkpoint); err != nil {
				return err
			}
		}
		f.r.Epochs, f.r.Curve = epoch, append(f.r.Curve, r.Score)
		if finite(r.Score.Loss) && (r.Score.Loss < f.r.End.Loss || !finite(f.r.End.Loss)) {
			f.r.End, f.r.Best, f.best = r.Score, epoch, r.Checkpoint.Weights
		}
	}
	return nil
}

func (f *fit) epoch(ctx context.Context) (r round, err error) {
	err = f.t.Steps(ctx, f.t.Epoch())
	if errors.Is(err, ErrDiverged) {
		return round{Diverged: err.Error()}, nil
	}
	if err != nil {
		return r, err
	}
	if r.Score, err = f.t.Score(ctx); err != nil {
		return r, err
	}
	r.Checkpoint, err = f.t.Checkpoint()
	return r, err
}

// finish goes back to the best network and refreshes its statistics.
func (f *fit) finish(ctx context.Context) (*Result, error) {
	f.r.Steps = f.t.done
	if err := f.t.restore(f.best, nil); err != nil {
		return nil, err
	}
	if f.r.Best == 0 || f.t.o.Freeze || len(statistics(f.t.m.Graph)) == 0 {
		return &f.r, nil
	}
	if err := f.t.Refresh(ctx); err != nil {
		return nil, err
	}
	s, err := f.t.Score(ctx)
	if err != nil {
		return nil, err
	}
	if s.Loss <= f.r.End.Loss {
		f.r.End = s
		return &f.r, nil
	}
	return &f.r, f.t.restore(f.best, nil)
}
