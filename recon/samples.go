package recon

import (
	"context"
	"fmt"
	"math"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/ir"
	"pare/synth"
	"pare/tensor"
)

// madeUp is how many samples are made up where there are no data.
const madeUp = 256

// Supplied is env with data to learn from: its own or, without any, pictures made up
// within the declared range of the input, from what batch-norms remember where they
// do; a warning tells of them. ok is false, and a warning says why, where there are none
// to be had.
func Supplied(ctx context.Context, m *ir.Model, env *compress.Env, s *Settings) (with *compress.Env, ok bool, err error) {
	why := ""
	out := *env
	switch {
	case env.Run == nil:
		why = "there is no means to run networks"
	case env.Data == nil:
		out.Data, why, err = pictures(ctx, m, env, s)
	}
	if err != nil {
		return nil, false, err
	}
	if why != "" {
		env.Warn("nothing was learned, as there is nothing to learn from (%s): codes are those of the base; name some data with --data", why)
	}
	return &out, why == "", nil
}

// pictures are samples made up. Why says why there are none, err is of what went wrong.
func pictures(ctx context.Context, m *ir.Model, env *compress.Env, s *Settings) (d *calib.Data, why string, err error) {
	n := madeUp
	if s.Samples > 0 {
		n = s.Samples
	}
	how := "from what batch-norms remember"
	set, err := synth.Pictures(ctx, m, env.Input.Lo, env.Input.Hi, synth.Options{
		Count: n, Seed: env.Seed, Threads: env.Threads, Done: func(n, of int) { env.Advance("making pictures up", n, of) },
	})
	if err != nil && context.Cause(ctx) == nil {
		env.Log.Info("no pictures from batch-norms", "reason", err)
		how = "within the range of the input"
		set, err = calib.Noise(m, env.Input.Lo, env.Input.Hi, n, env.Seed)
	}
	if stopped := context.Cause(ctx); stopped != nil {
		return nil, "", stopped
	}
	if err != nil {
		return nil, err.Error(), nil
	}
	env.Warn("there are no data to learn from: %d pictures made up %s stand for them; a few hundred real ones, by --data, would be better", set.Len(), how)
	return &calib.Data{Set: set, Run: env.Run}, "", nil
}

// count is how many samples are learned from: whole batches where the network takes so
// many at a time.
func count(set dataset.Set, d *calib.Data, s *Settings, fixed int) (int, error) {
	n := set.Len()
	for _, limit := range []int{d.Samples, s.Samples} {
		if limit > 0 {
			n = min(n, limit)
		}
	}
	if fixed > 0 {
		n -= n % fixed
	}
	if n == 0 {
		return 0, fmt.Errorf("%d samples to learn from, but the network takes %d at a time", set.Len(), fixed)
	}
	return n, nil
}

// record keeps the network's inputs, changed, batch samples at a time.
func record(ctx context.Context, m *ir.Model, d *calib.Data, samples, batch int, change func(t *tensor.Tensor, lo int) *tensor.Tensor) (out feed, err error) {
	out = feed{}
	defer func() {
		if err != nil {
			out.close(nothing)
		}
	}()
	for lo := 0; lo < samples; lo += batch {
		if err := context.Cause(ctx); err != nil {
			return out, err
		}
		if err := out.add(ctx, m, d, lo, min(lo+batch, samples), change); err != nil {
			return out, err
		}
	}
	return out, nil
}

// add keeps the network's inputs of samples lo to hi-1.
func (f feed) add(ctx context.Context, m *ir.Model, d *calib.Data, lo, hi int, change func(t *tensor.Tensor, lo int) *tensor.Tensor) error {
	inputs := d.Inputs
	if inputs == nil {
		inputs = calib.DefaultInputs
	}
	b, err := d.Set.Batch(ctx, lo, hi)
	if err != nil {
		return err
	}
	in, err := inputs(m, b)
	if err != nil {
		return err
	}
	for name, t := range in {
		if !finite(t) {
			return fmt.Errorf("input %q of samples %d to %d holds numbers that are not finite", name, lo, hi-1)
		}
		if f[name] == nil {
			if f[name], err = NewStore(); err != nil {
				return err
			}
		}
		rows := hi - lo
		if t.Rank() > 0 {
			rows = t.Shape[0] // data may make several rows of a sample, such as pairs of sentences
		}
		if err := f[name].Append(change(t, lo), rows); err != nil {
			return fmt.Errorf("input %q: %w", name, err)
		}
	}
	return nil
}

// rows is how many rows of the network's inputs were kept; all inputs must have as many.
func (f feed) rows() (n int, err error) {
	for name, s := range f {
		if n != 0 && s.Len() != n {
			return 0, fmt.Errorf("input %q has %d rows where another one has %d", name, s.Len(), n)
		}
		n = s.Len()
	}
	return n, nil
}

func finite(t *tensor.Tensor) bool {
	if t.Type != tensor.Float32 {
		return true
	}
	for _, x := range tensor.Data[float32](t) {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return false
		}
	}
	return true
}
