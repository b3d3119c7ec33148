package pare

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// PairTime compares the time of a compressed network with that of the original, in
// turns on this machine: what the saving that counts claim is worth here.
type PairTime struct {
	Threads  int     `json:"threads"`
	Runs     int     `json:"runs"` // of each
	BeforeMS float64 `json:"before_ms"`
	AfterMS  float64 `json:"after_ms"` // both medians
	// Ratio is the median over pairs of runs of the original's time over this
	// one's: above 1 this one is faster. The interval holds it with 95 %.
	Ratio         float64    `json:"ratio"`
	RatioInterval [2]float64 `json:"ratio_interval"`
}

// PairOptions say how long a comparison of times may take.
type PairOptions struct {
	Threads int
	// Longest bounds the time of a first run of both, with compilation, beyond which
	// PairTime gives up with a *SlowError; 0 for no bound. Time is how long they are
	// run; 0 for BenchTime.
	Longest, Time time.Duration
	Progress      Progress
}

// SlowError says that networks take too long to be timed by the way.
type SlowError struct{ Took time.Duration }

// Error implements error.
func (e *SlowError) Error() string {
	return fmt.Sprintf("a first run of both networks takes %.2f s", e.Took.Seconds())
}

// PairTime runs the model and the one that it came from in turns, on one random
// sample.
func (m *Model) PairTime(ctx context.Context, original *Model, o PairOptions) (*PairTime, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Time == 0 {
		o.Time = BenchTime
	}
	in, _, err := original.RandomInputs(Random{})
	if err != nil {
		return nil, named(m.path, err)
	}
	start := time.Now()
	t, b := &timer{}, BenchOptions{Threads: o.Threads, Progress: o.Progress}
	defer t.close()
	for _, m := range []*Model{m, original} {
		if err := t.add(ctx, func() (contender, error) { return newOwn(ctx, m, in, o.Threads) }); err != nil {
			return nil, err
		}
	}
	if took := time.Since(start); o.Longest > 0 && took > o.Longest {
		return nil, &SlowError{took}
	}
	if err := t.warm(ctx, 1); err != nil {
		return nil, err
	}
	if err := t.runFor(ctx, b, o.Time); err != nil {
		return nil, err
	}
	after, before := t.timing(0), t.timing(1)
	out := &PairTime{Threads: o.Threads, Runs: len(t.seconds[0]), BeforeMS: before.MedianMS, AfterMS: after.MedianMS}
	out.Ratio, out.RatioInterval = t.ratio()
	return out, nil
}
