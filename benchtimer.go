package pare

import (
	"context"
	"time"

	"pare/internal/stat"
	"pare/tensor"
)

// contender is one of those that are timed in turn.
type contender interface {
	// once runs the network and returns the seconds it took.
	once(ctx context.Context) (float64, error)
	// about is what is known besides times: FirstMS is the time to compile.
	about() Timing
	close()
}

// own is a model in this process.
type own struct {
	m       *Model
	session *Session
	in      map[string]*tensor.Tensor
	compile float64 // seconds
}

func newOwn(ctx context.Context, m *Model, in map[string]*tensor.Tensor, threads int) (*own, error) {
	start := time.Now()
	s, err := m.NewSession(ctx, SessionOptions{Threads: threads})
	return &own{m, s, in, time.Since(start).Seconds()}, err
}

func (c *own) once(ctx context.Context) (float64, error) {
	start := time.Now()
	_, err := c.session.Run(ctx, c.in)
	return time.Since(start).Seconds(), named(c.m.path, err)
}

func (c *own) about() Timing {
	return Timing{Model: c.m.path, Arena: c.session.ArenaBytes(), FirstMS: c.compile * 1e3}
}

func (c *own) close() {}

// timer times contenders in turn on the same inputs.
type timer struct {
	contenders []contender
	first      []float64   // seconds of the first run of each
	seconds    [][]float64 // by contender
}

// contenders makes the model's own session, and a timer for it and for what it is
// timed against. Runs that do not count have been made. The timer must be closed,
// whatever the error.
func (m *Model) contenders(ctx context.Context, in map[string]*tensor.Tensor, o BenchOptions) (*Session, *timer, error) {
	t := &timer{}
	mine := func(m *Model) func() (contender, error) {
		return func() (contender, error) { return newOwn(ctx, m, in, o.Threads) }
	}
	if err := t.add(ctx, mine(m)); err != nil {
		return nil, t, err
	}
	var err error
	switch {
	case o.Rival != nil:
		err = t.add(ctx, func() (contender, error) { return newForeign(ctx, o.Rival, m.path, in, o.Threads) })
	case o.Against != nil:
		err = t.add(ctx, mine(o.Against))
	}
	if err != nil {
		return nil, t, err
	}
	return t.contenders[0].(*own).session, t, t.warm(ctx, o.Warmup)
}

// add makes a contender and runs it for the first time.
func (t *timer) add(ctx context.Context, make func() (contender, error)) error {
	c, err := make()
	if err != nil {
		return err
	}
	t.contenders = append(t.contenders, c)
	s, err := c.once(ctx)
	t.first = append(t.first, s)
	return err
}

func (t *timer) close() {
	for _, c := range t.contenders {
		c.close()
	}
}

// warm makes rounds that do not count, 3 where n is 0.
func (t *timer) warm(ctx context.Context, n int) error {
	if n <= 0 {
		n = 3
	}
	t.seconds = make([][]float64, len(t.contenders))
	for range n {
		if err := t.round(ctx, 0); err != nil {
			return err
		}
	}
	t.seconds = make([][]float64, len(t.contenders))
	return nil
}

// round runs every contender once; the order changes from round to round, so that
// none always comes first.
func (t *timer) round(ctx context.Context, k int) error {
	for i := range t.contenders {
		j := (i + k) % len(t.contenders)
		s, err := t.contenders[j].once(ctx)
		if err != nil {
			return err
		}
		t.seconds[j] = append(t.seconds[j], s)
	}
	return nil
}

// fewest and most runs that fill BenchTime.
const fewest, most = 5, 1000

func (t *timer) run(ctx context.Context, o BenchOptions) error { return t.runFor(ctx, o, BenchTime) }

// runFor makes rounds for so long, unless their number is given.
func (t *timer) runFor(ctx context.Context, o BenchOptions, d time.Duration) error {
	start := time.Now()
	for k := 0; ; k++ {
		if o.Runs > 0 && k >= o.Runs || o.Runs <= 0 && k >= fewest && (k >= most || time.Since(start) > d) {
			return nil
		}
		if err := t.round(ctx, k); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress("timing", k+1, max(0, o.Runs))
		}
	}
}

func (t *timer) timing(i int) Timing {
	s := t.seconds[i]
	out := t.contenders[i].about()
	out.FirstMS += t.first[i] * 1e3
	out.MedianMS, out.MinMS, out.MaxMS = stat.Median(s)*1e3, s[0]*1e3, s[0]*1e3
	for _, x := range s {
		out.MinMS, out.MaxMS = min(out.MinMS, x*1e3), max(out.MaxMS, x*1e3)
	}
	return out
}

func (t *timer) ratio() (float64, [2]float64) {
	r := make([]float64, len(t.seconds[0]))
	for i := range r {
		r[i] = t.seconds[1][i] / t.seconds[0][i]
	}
	return stat.Median(r), stat.MedianInterval(r)
}
