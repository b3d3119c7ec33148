package recon

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"pare/calib"
	"pare/compress"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// Run fits the units of a quantised network m, in place, to what its original f
// computes on the samples of env, which Supplied made sure of, one after the other: what a unit reads is what the
// units before it, fitted, compute. It reports every layer.
func Run(ctx context.Context, m, f *ir.Model, env *compress.Env, s *Settings) error {
	r := &run{pace: pace{env: env}, s: s, m: m, f: f}
	for _, model := range []*ir.Model{m, f} {
		if _, err := op.Infer(model); err != nil {
			return err
		}
	}
	return r.all(ctx, env.Data)
}

// run is the state of a run.
type run struct {
	s       *Settings
	m, f    *ir.Model
	layers  map[string]*compress.Layer // of m
	samples int
	inputs  feed      // of the network, and what the quantised part before computes
	floats  feed      // likewise of the original
	undo    []*change // what takes back what was learned, in the order of learning
	pace
}

func (r *run) all(ctx context.Context, d *calib.Data) error {
	layers := r.learnable()
	if len(layers) == 0 {
		return nil
	}
	var err error
	if r.samples, err = count(d.Set, d, r.s, ir.FixedBatch(r.m.Graph.Inputs)); err != nil {
		return err
	}
	given, err := record(ctx, r.m, d, r.samples, r.batch(), func(t *tensor.Tensor, lo int) *tensor.Tensor {
		return augment(r.s.Augment, t, lo, r.env.Seed)
	})
	if err != nil {
		return err
	}
	if r.samples, err = given.rows(); err != nil {
		given.close(nothing)
		return err
	}
	r.inputs, r.floats = feed{}, feed{}
	for name, s := range given {
		r.inputs[name], r.floats[name] = s, s
	}
	defer r.inputs.close(nothing)
	defer r.floats.close(nothing)
	w, err := r.newWhole(ctx, given)
	if err != nil {
		return err
	}
	defer w.want.close(nothing)
	before, err := w.snr(ctx, r.m)
	if err != nil {
		return err
	}
	segments := Cut(r.m, r.f, layers, r.s.Unit)
	r.plan(segments)
	for _, seg := range segments {
		if err := r.segment(ctx, seg, given); err != nil {
			return err
		}
	}
	return r.settle(ctx, w, before)
}

// batch is how many samples are run at a time.
func (r *run) batch() int {
	if n := ir.FixedBatch(r.m.Graph.Inputs); n > 0 {
		return n
	}
	return 8
}

// learnable lists the layers of m whose weights can be learned: encoded ones whose
// original is in f.
func (r *run) learnable() []compress.Layer {
	r.layers = map[string]*compress.Layer{}
	var out []compress.Layer
	for _, l := range compress.Layers(r.m) {
		if l.Encoded != nil && l.Kind != compress.Embedding && l.Kind != compress.Other && r.original(key(l.Node)) != nil {
			out = append(out, l)
		}
	}
	for i := range out {
		r.layers[key(out[i].Node)] = &out[i]
	}
	return out
}

// original are the float weights of a layer.
func (r *run) original(name string) []float32 {
	v := r.f.Graph.Value(name)
	if v == nil || v.Producer() == nil {
		return nil
	}
	l := r.layers[name]
	if l == nil {
		for _, w := range compress.Layers(r.m) {
			if key(w.Node) == name {
				l = &w
				break
			}
		}
	}
	n := v.Producer()
	if l == nil || l.Operand >= len(n.In) || n.In[l.Operand] == nil || n.In[l.Operand].Const == nil {
		return nil
	}
	return tensor.Float32s(n.In[l.Operand].Const)
}

// segment fits the units of a segment and leaves what it computes in its place.
func (r *run) segment(ctx context.Context, seg Segment, given feed) error {
	for _, u := range seg.Units {
		if err := r.reach(ctx, seg, u.In); err != nil {
			return err
		}
		if err := r.unit(ctx, u); err != nil {
			return fmt.Errorf("unit %s: %w", u.Name, err)
		}
	}
	if seg.To == "" {
		return nil
	}
	if err := r.reach(ctx, seg, seg.To); err != nil {
		return err
	}
	keep := func(name string) bool { return name == seg.To || given[name] != nil }
	r.inputs.close(keep)
	r.floats.close(keep)
	return nil
}

// reach computes a value within a segment from where it begins, in both networks.
func (r *run) reach(ctx context.Context, seg Segment, name string) error {
	for _, side := range []struct {
		m *ir.Model
		f feed
	}{{r.m, r.inputs}, {r.f, r.floats}} {
		if name == "" || side.f[name] != nil {
			continue
		}
		if err := r.compute(ctx, side.m, side.f, seg.From, name); err != nil {
			return err
		}
	}
	return nil
}

// compute adds the value called name, computed from another or the network's inputs.
func (r *run) compute(ctx context.Context, m *ir.Model, f feed, from, name string) error {
	part, err := between(m, from, name)
	if err != nil {
		return err
	}
	got, err := fill(ctx, r.env.Run, part, f, r.samples, r.batch())
	for k, s := range got {
		f[k] = s
	}
	return err
}

// between is the part from one value to another; "" are the network's inputs or outputs.
func between(m *ir.Model, from, to string) (*ir.Model, error) {
	in, out := []*ir.Value{}, m.Graph.Outputs
	if from != "" {
		in = append(in, m.Graph.Value(from))
	}
	if to != "" {
		out = []*ir.Value{m.Graph.Value(to)}
	}
	part, _, err := ir.Part(m, in, out)
	return part, err
}

// unit fits one unit and deploys it.
func (r *run) unit(ctx context.Context, u Unit) error {
	part, err := between(r.m, u.In, u.Out)
	if err != nil {
		return err
	}
	own := func(v *ir.Value) bool {
		w := r.m.Graph.Value(v.Name)
		x := part.Graph.Value(v.Name)
		return w != nil && x != nil && len(w.Uses()) == len(x.Uses())
	}
	l, err := newLearner(part, u.Layers, r.s, r.original, own)
	if err == nil {
		err = l.start(r.s, r.env.Threads, programMemory, r.env.Seed)
	}
	if err != nil {
		r.skip(u, err.Error())
		r.done(u, r.s.Steps)
		return nil
	}
	targets, err := r.targets(ctx, u)
	if err != nil {
		return err
	}
	defer targets.close(func(name string) bool { return r.floats[name] == targets[name] })
	weights, err := r.importance(ctx, u, targets)
	if err != nil {
		return err
	}
	defer weights.Close()
	var k kept
	err = r.env.Resume("unit "+u.Name, &k, func() error {
		out, err := r.fitting(u, l, targets, weights).fit(ctx)
		k = out.keep()
		return err
	})
	if err != nil {
		return err
	}
	out, err := k.outcome()
	if err != nil {
		return err
	}
	r.done(u, r.s.Steps)
	if out.change != nil {
		r.undo = append(r.undo, out.change.before(r.m.Graph))
		if err := out.change.apply(r.m.Graph, "fit "+u.Name); err != nil {
			return err
		}
	}
	r.report(u, l, out)
	return nil
}

// targets are what the original makes of the unit's outputs.
func (r *run) targets(ctx context.Context, u Unit) (feed, error) {
	if u.Out != "" && r.floats[u.Out] != nil {
		return feed{u.Out: r.floats[u.Out]}, nil
	}
	part, err := between(r.f, u.In, u.Out)
	if err != nil {
		return nil, err
	}
	return fill(ctx, r.env.Run, part, r.floats, r.samples, r.batch())
}

// importance is what errors of a unit's output count, nil for all alike.
func (r *run) importance(ctx context.Context, u Unit, targets feed) (*Store, error) {
	if r.s.Loss != "fisher" || u.Out == "" {
		return nil, nil
	}
	return r.fisher(ctx, u.Out, targets[u.Out])
}

func (r *run) fitting(u Unit, l *learner, targets feed, weights *Store) *fitting {
	h := fnv.New64a()
	h.Write([]byte("recon " + u.Name))
	n := len(l.model.Graph.Outputs)
	x := l.measureExtent(func(name string) []int { return r.inputs[name].Shape(0) })
	batch := x.batch(min(r.s.Batch, r.samples))
	if fixed := ir.FixedBatch(r.m.Graph.Inputs); fixed > 0 {
		batch = max(fixed, batch/fixed*fixed)
	}
	name := r.s.Loss
	if u.Out != "" && name == "kl" {
		name = "mse"
	}
	f := &fitting{
		learner: l, s: r.s, inputs: r.inputs, floats: r.floats, targets: targets, samples: r.samples, batch: batch, micro: r.micro(x, batch),
		loss: loss{name, weights}, rand: rand.New(rand.NewPCG(r.env.Seed, h.Sum64())), want: make([]*tensor.Tensor, n), dy: make([][]float32, n), workers: r.env.Threads,
		told: func(steps int) { r.done(u, steps) },
	}
	f.judge = &judge{
		run: r.env.Run, part: l.part, inputs: r.inputs, targets: targets, loss: f.loss,
		runs: r.inputs.runs(inputNames(l.part), min(r.samples, judged), r.batch()),
	}
	return f
}

// micro is how many samples the program of a unit takes at a time.
func (r *run) micro(x extent, batch int) int {
	if fixed := ir.FixedBatch(r.m.Graph.Inputs); fixed > 0 {
		return fixed
	}
	return x.micro(batch)
}

// judged is how many samples deployed units are judged by.
const judged = 256

// skip tells of the layers of a unit that they stay as they were.
func (r *run) skip(u Unit, why string) {
	for _, name := range u.Layers {
		if l := r.layers[name]; l != nil {
			r.env.Amend(l.Name, func(a *compress.LayerReport) { a.Reason = joined(a.Reason, "not learned: "+why) })
		}
	}
}

// report tells what became of each layer of a unit.
func (r *run) report(u Unit, l *learner, out outcome) {
	for _, w := range l.layers {
		layer := r.layers[key(w.form.Node)]
		r.env.Amend(layer.Name, func(a *compress.LayerReport) {
			a.Reason = joined(a.Reason, fmt.Sprintf("error of unit %s %.3g -> %.3g, %s, kept %s", u.Name, out.start, out.end, plural(out.steps, "step"), out.kept))
		})
	}
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
