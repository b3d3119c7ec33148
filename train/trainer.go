package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"pare/calib"
	"pare/grad"
	"pare/grad/optim"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// ErrDiverged is what Steps returns, wrapped, where the loss or a gradient is no
// number any more.
var ErrDiverged = errors.New("training diverged")

// Trainer trains a network step by step. One goroutine at a time may use it.
type Trainer struct {
	m       *ir.Model
	data    calib.Data
	o       Options
	order   *order
	reader  *reader
	done    int // steps
	micro   int // samples that are computed at once
	loss    *objective
	program *grad.Program
	groups  []optim.Group
	opt     optim.Optimizer
	masks   []mask
	teacher calib.Runner
}

// New prepares the training of m on data, which Store and Refresh change. It reports
// options that make no sense, nodes that gradients cannot pass, and data that do not
// fit.
func New(ctx context.Context, m *ir.Model, data calib.Data, o Options) (*Trainer, error) {
	o = o.defaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	n := samplesOf(data)
	if n < 2 {
		return nil, fmt.Errorf("%d samples to train on", n)
	}
	if data.Run == nil {
		data.Run = runnerOf(o)
	}
	if err := separate(m); err != nil {
		return nil, err
	}
	t := &Trainer{m: m, data: data, o: o}
	if err := t.batches(ctx, n); err != nil {
		return nil, err
	}
	if err := t.taught(ctx); err != nil {
		return nil, err
	}
	return t, t.build(nil)
}

func samplesOf(d calib.Data) int {
	if d.Samples > 0 {
		return min(d.Samples, d.Set.Len())
	}
	return d.Set.Len()
}

// batches decides which samples a step takes and how many of them are computed at
// once.
func (t *Trainer) batches(ctx context.Context, n int) error {
	batch, fixed := t.o.Batch, ir.FixedBatch(t.m.Graph.Inputs)
	if fixed > 0 {
		batch = max(batch/fixed, 1) * fixed
	}
	t.order = newOrder(n, t.o.Held, batch, t.o.Seed)
	if fixed > 0 {
		t.order.batch -= t.order.batch % fixed
		t.order.held = t.order.held[:len(t.order.held)/fixed*fixed]
	}
	if t.order.batch == 0 {
		return fmt.Errorf("%d samples to train on, but the network takes %d at a time", len(t.order.train), fixed)
	}
	t.reader = &reader{data: t.data, m: t.m, threads: t.o.Threads}
	t.micro = fixed
	if fixed == 0 {
		first, err := t.reader.samples(ctx, t.order.train[:1])
		if err != nil {
			return err
		}
		t.micro = t.fitting(first)
	}
	return nil
}

// taught prepares the loss and the network that is aimed at.
func (t *Trainer) taught(ctx context.Context) error {
	var err error
	if t.loss, err = newObjective(t.m, t.data.Set.Task(), t.o); err != nil || t.loss.distil == 0 {
		return err
	}
	if t.teacher, err = t.data.Run(t.o.Teacher, heads(t.o.Teacher.Graph)[:len(t.loss.values)]); err != nil {
		return err
	}
	return t.weigh(ctx)
}

// weigh finds the mean squares of the teacher's outputs on as many samples as a step
// takes.
func (t *Trainer) weigh(ctx context.Context) error {
	n := t.order.batch
	t.loss.power = make([]float64, len(t.loss.values))
	for lo := 0; lo < n; lo += t.micro {
		hi := min(lo+t.micro, n)
		s, err := t.reader.samples(ctx, t.order.train[lo:hi])
		if err != nil {
			return err
		}
		out, err := t.aim(ctx, s)
		if err != nil {
			return err
		}
		for i, x := range out {
			t.loss.power[i] += energy(tensor.Float32s(x)) * float64(hi-lo) / float64(n)
		}
	}
	return nil
}

// build makes the program and the optimiser of the network as it is; state is the
// optimiser's, nil for a fresh one.
func (t *Trainer) build(state *optim.State) error {
	t.loss.bind(t.m)
	params := learnable(t.m.Graph, t.o.Skip)
	if len(params) == 0 {
		return fmt.Errorf("the network has no 32-bit weights to train")
	}
	var err error
	t.program, err = grad.New(t.m, grad.Options{
		Params: params, Outputs: t.loss.values, Train: !t.o.Freeze,
		Threads: t.o.Threads, Memory: t.o.Memory, Seed: t.o.Seed,
	})
	if err != nil {
		return err
	}
	t.groups = t.grouped()
	if t.opt, err = optim.New(t.o.Optimizer, t.groups, t.o.Optim); err != nil {
		return err
	}
	if state != nil {
		if err := t.opt.Restore(state); err != nil {
			return err
		}
	}
	t.mask()
	return nil
}

// grouped parts weights that decay from biases and factors of channels, which do not
// [he16].
func (t *Trainer) grouped() []optim.Group {
	groups := make([]optim.Group, 0, len(t.program.Params()))
	for _, p := range t.program.Params() {
		g := optim.Group{Params: [][]float32{p.Data}, Grads: [][]float32{p.Grad}}
		if len(p.Shape) > 1 {
			g.WeightDecay = t.o.Decay
		}
		groups = append(groups, g)
	}
	return groups
}

// Done is the number of steps so far, of Options.Steps.
func (t *Trainer) Done() int { return t.done }

// Epoch is the number of steps that go once over the samples.
func (t *Trainer) Epoch() int { return t.order.perEpoch() }

// Steps trains for n further steps, at most to the end of the schedule. The model
// follows with Store. It returns context.Cause(ctx) within one step of a cancellation,
// and ErrDiverged with the step's number and rate where numbers got out of hand.
func (t *Trainer) Steps(ctx context.Context, n int) error {
	for range min(n, t.o.Steps-t.done) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		loss, err := t.step(ctx)
		if err != nil {
			return err
		}
		t.done++
		if t.o.Progress != nil {
			t.o.Progress(t.done, t.o.Steps, loss)
		}
	}
	return nil
}

func (t *Trainer) step(ctx context.Context) (float64, error) {
	s, err := t.reader.step(ctx, t.done, t.done+1 < t.o.Steps, t.prepared)
	if err != nil {
		return 0, err
	}
	rate := t.o.Rate * t.o.Schedule(t.done, t.o.Steps)
	t.program.ZeroGrads()
	loss, err := t.gradients(ctx, s)
	if err != nil {
		return 0, err
	}
	t.masked()
	norm := optim.Norm(t.groups)
	if t.o.Clip > 0 {
		optim.ClipNorm(t.groups, t.o.Clip)
	}
	if !finite(loss) || !finite(norm) {
		return 0, fault.Hint(fmt.Errorf("%w in step %d of %d at rate %.3g: loss %v, norm of gradients %v", ErrDiverged, t.done+1, t.o.Steps, rate, loss, norm), "lower the rate")
	}
	t.opt.Step(rate)
	return loss, nil
}

// prepared reads and augments the samples of a step.
func (t *Trainer) prepared(ctx context.Context, step int) (*sample, error) {
	s, err := t.reader.samples(ctx, t.order.at(step))
	if err != nil {
		return nil, err
	}
	t.o.Augment.augmented(s, t.o.Seed, step)
	return s, nil
}

// gradients runs the samples of a step forward and backward, part by part, and
// returns the mean loss.
func (t *Trainer) gradients(ctx context.Context, s *sample) (float64, error) {
	n, sum := s.rows(), 0.0
	for lo := 0; lo < n; lo += t.micro {
		part, hi := s, min(lo+t.micro, n)
		if hi-lo < n {
			part = s.part(lo, hi)
		}
		share := float64(hi-lo) / float64(n)
		out, err := t.program.Forward(ctx, part.in)
		if err != nil {
			return 0, err
		}
		aim, err := t.aim(ctx, part)
		if err != nil {
			return 0, err
		}
		loss, grads, err := t.loss.loss(out, aim, part, share)
		if err != nil {
			return 0, err
		}
		if err := t.program.Backward(ctx, grads); err != nil {
			return 0, err
		}
		sum += share * loss
	}
	return sum, nil
}

// aim is what the teacher makes of samples; nil without one.
func (t *Trainer) aim(ctx context.Context, s *sample) ([]*tensor.Tensor, error) {
	if t.teacher == nil {
		return nil, nil
	}
	out, err := t.teacher.Run(ctx, t.named(s))
	if err != nil {
		return nil, fmt.Errorf("the teacher: %w", err)
	}
	return out, nil
}

// named are the samples by names of inputs.
func (t *Trainer) named(s *sample) map[string]*tensor.Tensor {
	in := map[string]*tensor.Tensor{}
	for _, v := range t.m.Graph.Inputs {
		if v.Const == nil {
			in[v.Name] = s.in[len(in)]
		}
	}
	return in
}

// Store writes what was learned so far into the model.
func (t *Trainer) Store() error { return t.program.Store(t.m) }

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
