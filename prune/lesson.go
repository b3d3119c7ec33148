package prune

import (
	"context"
	"fmt"
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/grad"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// lesson is a batch of samples and what the network is to make of them.
type lesson struct {
	in     []*tensor.Tensor // in the order of the network's data inputs
	labels []int            // nil where the answers of the network itself are the aim
	aims   []*aim           // by judged value
}

// judgedOf are the values by which a network is judged: its outputs of floats, what
// goes into a softmax in place of what comes out.
func judgedOf(m *ir.Model) (out []*ir.Value) {
	for _, v := range m.Graph.Outputs {
		if !v.Type.DType.IsFloat() {
			continue
		}
		if n := v.Producer(); n != nil && n.Op == "Softmax" && v.Type.Rank() == 2 && n.Int("axis", -1) != 0 && n.In[0].Const == nil {
			v = n.In[0]
		}
		out = append(out, v)
	}
	return out
}

// lessons prepares batches of samples, and the aims by what m makes of them. Of data
// it takes samples at random, as the seed says; without data they are made up.
func lessons(ctx context.Context, m *ir.Model, env *compress.Env, q Sampling, path bool) ([]*lesson, error) {
	batches, batch := q.Batches, q.Batch
	if fixed := ir.FixedBatch(m.Graph.Inputs); fixed > 0 {
		batch = fixed
	}
	d, err := lessonData(m, env, batches*batch)
	if err != nil {
		return nil, err
	}
	n := d.Set.Len()
	if d.Samples > 0 {
		n = min(n, d.Samples)
	}
	if n < batch {
		if batch = n; ir.FixedBatch(m.Graph.Inputs) > 0 {
			return nil, fmt.Errorf("%d samples of data, but the network takes %d at a time", n, ir.FixedBatch(m.Graph.Inputs))
		}
	}
	prog, err := grad.New(m, grad.Options{Outputs: judgedOf(m), Threads: env.Threads, Seed: env.Seed})
	if err != nil {
		return nil, err
	}
	order := env.Rand("lessons").Perm(n)
	g := &goals{answers: q.Aim == "answers", heat: q.Temperature, path: path, task: d.Set.Task(), draw: env.Rand("aims")}
	var out []*lesson
	for ; len(out) < batches && len(order) >= batch; order = order[batch:] {
		l, err := newLesson(ctx, m, d, order[:batch])
		if err != nil {
			return nil, err
		}
		got, err := prog.Forward(ctx, l.in)
		if err != nil {
			return nil, err
		}
		if l.aims, err = g.of(got, l.labels); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// lessonData are the samples: data to calibrate on, or made-up ones.
func lessonData(m *ir.Model, env *compress.Env, n int) (calib.Data, error) {
	d := calib.Data{Inputs: calib.DefaultInputs}
	if env.Data != nil {
		if d = *env.Data; d.Inputs == nil {
			d.Inputs = calib.DefaultInputs
		}
		return d, nil
	}
	set, err := calib.Noise(m, env.Input.Lo, env.Input.Hi, n, env.Seed)
	if err != nil {
		err := fmt.Errorf("there are no samples to take gradients of, and none can be made up: %w", err)
		return d, fault.Hint(err, "name some with --data, or the range of the input with --input-range; magnitude and surgeon need none")
	}
	env.Warn("there are no samples: gradients are taken of made-up inputs and of the network's own answers to them")
	d.Set = set
	return d, nil
}

// newLesson reads samples, whose numbers are given.
func newLesson(ctx context.Context, m *ir.Model, d calib.Data, samples []int) (*lesson, error) {
	parts := make([]dataset.Batch, len(samples))
	for i, k := range samples {
		var err error
		if parts[i], err = d.Set.Batch(ctx, k, k+1); err != nil {
			return nil, err
		}
	}
	batch := dataset.Batch{Inputs: map[string]*tensor.Tensor{}}
	for name := range parts[0].Inputs {
		batch.Inputs[name] = stacked(parts, name)
	}
	for _, p := range parts {
		batch.Labels = append(batch.Labels, p.Labels...)
	}
	in, err := d.Inputs(m, batch)
	if err != nil {
		return nil, err
	}
	l := &lesson{labels: batch.Labels}
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			l.in = append(l.in, in[v.Name])
		}
	}
	return l, nil
}

// stacked joins an input of several batches along its first axis.
func stacked(parts []dataset.Batch, name string) *tensor.Tensor {
	first := parts[0].Inputs[name]
	shape, n := slices.Clone(first.Shape), 0
	for _, p := range parts {
		n += p.Inputs[name].Shape[0]
	}
	shape[0] = n
	out := tensor.New(first.Type, shape...)
	at := 0
	for _, p := range parts {
		at += copy(out.Bytes()[at:], p.Inputs[name].Bytes())
	}
	return out
}
