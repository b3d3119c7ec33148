package sense

import (
	"context"
	"fmt"
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/internal/fault"
	"pare/ir"
	"pare/quant"
)

// Options are the circumstances of a run.
type Options struct {
	Bits    int        // of the weights, 2 to 8
	Data    calib.Data // samples, at least one, and the means to run them
	Threads int        // results do not depend on it
	Seed    uint64
	// Progress is told what is under way and how much of it is done; it may be nil.
	Progress func(what string, done, total int)
}

// Check reports bits out of range and numbers of samples below one.
func Check(bits, samples int) error {
	if bits < 2 || bits > 8 {
		return fault.Hint(fmt.Errorf("weights of %d bits: want 2 to 8", bits), "4 bits tell layers apart best; 8 cost most networks nothing")
	}
	if samples < 1 {
		return fault.Hint(fmt.Errorf("%d samples: want at least 1", samples), "64 are enough to rank layers")
	}
	return nil
}

// run is the state of Run.
type run struct {
	Options
	m    *ir.Model
	env  *compress.Env
	base *answers
	est  *quant.Estimator // nil where there are no gradients
	out  *Result
}

// Run quantises each layer of m alone and says what that costs. Sizes in m must be
// inferred. It reports networks without layers that can be quantised and data that do
// not fit; where gradients cannot be had, estimates from them are left out with a warning.
func Run(ctx context.Context, m *ir.Model, o Options) (*Result, error) {
	if err := Check(o.Bits, o.Data.Samples); err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	o.Data.Samples = min(o.Data.Samples, o.Data.Set.Len())
	r := &run{Options: o, m: m, out: &Result{Bits: o.Bits, Layers: []Layer{}, Left: []Left{}, Warnings: []string{}}}
	r.Data.Set = remember(r.Data.Set, ir.FixedBatch(m.Graph.Inputs) == 1)
	r.env = &compress.Env{Threads: max(1, o.Threads), Seed: o.Seed, Data: &r.Data, Run: o.Data.Run}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if err := r.layers(ctx); err != nil {
		return nil, err
	}
	r.out.Samples, r.out.Loss = r.Data.Samples, r.base.loss
	r.out.correlate()
	slices.SortStableFunc(r.out.Layers, func(a, b Layer) int { return byLoss(b, a) })
	return r.out, nil
}

// prepare looks at the network as it is, and takes gradients.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.count() == 0 {
		return fault.Hint(fmt.Errorf("the network has no layer whose weights can be quantised"), "pare inspect without --sensitivity says why of each")
	}
	if n := ir.FixedBatch(r.m.Graph.Inputs); n > r.Data.Samples {
		return fault.Hint(fmt.Errorf("%d samples, but the network takes %d at a time", r.Data.Samples, n), "look at more samples, or give data that hold more")
	}
	if r.base, err = newAnswers(ctx, r.m, &r.Data); err != nil {
		return err
	}
	if r.Data.Samples > r.base.samples {
		r.out.Warnings = append(r.out.Warnings, fmt.Sprintf("only %d samples are looked at", r.base.samples))
		r.Data.Samples = r.base.samples
	}
	done := func(n, of int) { r.Progress("gradients", n, of) }
	r.est, err = quant.NewEstimator(ctx, r.m, r.env, r.Data.Samples, done)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		r.est = nil
		r.out.Warnings = append(r.out.Warnings, "there are no estimates from gradients: "+err.Error())
	}
	return nil
}

// count is the number of layers that can be quantised.
func (r *run) count() (n int) {
	quant.NewChanger(r.m, r.env, r.Bits).Each(func(_ *compress.Layer, skip string, _ func() (*quant.Change, error)) error {
		if skip == "" {
			n++
		}
		return nil
	})
	return n
}

// layers tries one layer after the other.
func (r *run) layers(ctx context.Context) error {
	total := r.count()
	return quant.NewChanger(r.m, r.env, r.Bits).Each(func(l *compress.Layer, skip string, change func() (*quant.Change, error)) error {
		if skip != "" {
			r.out.Left = append(r.out.Left, Left{l.Name, skip})
			return nil
		}
		c, err := change()
		if err != nil {
			return err
		}
		if err := r.layer(ctx, c); err != nil {
			return fault.AtNode(l.Node, err)
		}
		r.Progress("layers", len(r.out.Layers), total)
		return nil
	})
}

// layer tries one layer.
func (r *run) layer(ctx context.Context, c *quant.Change) error {
	l := Layer{Name: c.Layer.Name, Params: c.Layer.Params(), Bytes: int64(len(c.Layer.Weight.Const.Bytes())), WeightError: c.Error}
	if r.est != nil {
		e, err := r.est.Of(ctx, c)
		if err != nil {
			return err
		}
		l.Fisher, l.Gradient, l.SInGE = &e.Fisher, e.Gradient, &e.SInGE
	}
	m, err := changed(r.m, c)
	if err != nil {
		return err
	}
	got, err := r.base.compare(ctx, m)
	if err != nil {
		return err
	}
	l.Loss, l.SNR = got.grown, got.snr
	if r.base.loss == Labels {
		l.Divergence = &got.diverged
	}
	r.out.Layers = append(r.out.Layers, l)
	return nil
}
