package prune

import (
	"context"
	"fmt"
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/grad"
	"pare/ir"
	"pare/tensor"
)

// lesson is a batch of samples and what the network is to make of them.
type lesson struct {
	in     []*tensor.Tensor // in the order of the network's data inputs
	labels []int            // nil where the answers of the network itself are the aim
	aims   []*aim           // by judged value
}

// aim is what a judged value should be: one of the classes for every row, or numbers.
type aim struct {
	labels []int     // -1 for rows that do not count
	want   []float32 // where there are no classes
	scale  float64   // of squared errors
	slope  *tensor.Tensor
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

// classes is the number of classes that a judged value tells apart: the size of the
// last axis of one row for each sample; 0 where it holds something else.
func classes(t *tensor.Tensor) int {
	if t.Rank() < 2 || tensor.Len(t.Shape[2:]) != 1 || t.Shape[1] < 2 {
		return 0
	}
	return t.Shape[1]
}

// lessons prepares batches of samples, and the aims by what m makes of them. Of data
// it takes samples at random, as the seed says; without data they are made up.
func lessons(ctx context.Context, m *ir.Model, env *compress.Env, batches, batch int) ([]*lesson, error) {
	d, err := lessonData(m, env, batches*batch)
	if err != nil {
		return nil, err
	}
	if fixed := ir.FixedBatch(m.Graph.Inputs); fixed > 0 {
		batch = fixed
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
		if err := l.aim(got, d.Set.Task()); err != nil {
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
		return d, fmt.Errorf("there are no data to take gradients of, and none can be made up: %w", err)
	}
	env.Warn("there are no data: gradients are taken of made-up inputs and of the network's own answers to them")
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

// aim sets the aims by what the network made of the samples: labels where there are
// some, else the classes that it chose, else its outputs.
func (l *lesson) aim(got []*tensor.Tensor, task dataset.Task) error {
	for _, t := range got {
		a := &aim{slope: tensor.New(tensor.Float32, t.Shape...)}
		l.aims = append(l.aims, a)
		c, rows := classes(t), 0
		if task == dataset.NextToken && t.Rank() == 3 {
			c = t.Shape[2]
		}
		if c > 0 {
			rows = t.Len() / c
		}
		switch {
		case c == 0:
			a.reproduce(tensor.Float32s(t))
		case len(l.labels) == rows:
			if k := slices.Max(l.labels); k >= c {
				return fmt.Errorf("the data have a label %d, the network tells %d classes apart", k, c)
			}
			a.labels = l.labels
		default:
			a.labels = chosen(tensor.Float32s(t), c)
		}
		for i, k := range a.labels {
			if k < 0 {
				a.labels[i] = chosen(tensor.Float32s(t)[i*c:][:c], c)[0]
			}
		}
	}
	return nil
}

// chosen are the largest entries of rows of c.
func chosen(x []float32, c int) (out []int) {
	for ; len(x) >= c; x = x[c:] {
		best := 0
		for k, v := range x[:c] {
			if v > x[best] {
				best = k
			}
		}
		out = append(out, best)
	}
	return out
}

// reproduce makes numbers the aim: squared errors count relative to their variance.
func (a *aim) reproduce(want []float32) {
	a.want = slices.Clone(want)
	sum, squares, n := 0.0, 0.0, float64(max(1, len(want)))
	for _, v := range want {
		sum, squares = sum+float64(v), squares+float64(v)*float64(v)
	}
	a.scale = 1 / max(squares-sum*sum/n, n*1e-12)
}

// loss is what the network gets wrong by some of the judged values, whose places are
// given, and its gradient by them.
func (l *lesson) loss(got []*tensor.Tensor, judged []int) (loss float64, slopes []*tensor.Tensor) {
	for i, k := range judged {
		a := l.aims[k]
		x, dx := tensor.Float32s(got[i]), tensor.Data[float32](a.slope)
		if a.labels != nil {
			loss += grad.CrossEntropy(dx, x, len(x)/len(a.labels), a.labels)
		} else {
			for k, v := range x {
				d := float64(v) - float64(a.want[k])
				loss += a.scale * d * d
				dx[k] = float32(2 * a.scale * d)
			}
		}
		slopes = append(slopes, a.slope)
	}
	return loss, slopes
}

// certain reports whether the network makes no mistake by any aim: gradients are zero
// where it stands then.
func certain(list []*lesson) bool {
	return !slices.ContainsFunc(list, func(l *lesson) bool {
		return slices.ContainsFunc(l.aims, func(a *aim) bool { return a.labels != nil })
	})
}
