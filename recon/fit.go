package recon

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"pare/grad"
	"pare/grad/optim"
	"pare/ir"
	"pare/tensor"
)

// fitting learns the variables of one unit.
type fitting struct {
	*learner
	s       *Settings
	judge   *judge
	inputs  feed // what comes of the quantised layers before
	floats  feed // what comes of the original
	targets feed
	samples int
	batch   int // of a step
	micro   int // of a run of the program
	loss    loss
	rand    *rand.Rand
	workers int
	told    func(steps int) // hears of steps that are done

	order []int // samples still to come in this round
	buf   []*tensor.Tensor
	mix   []*tensor.Tensor
	want  []*tensor.Tensor
	dy    [][]float32
}

// outcome is what fitting came to.
type outcome struct {
	start, end float64 // losses as deployed
	steps      int
	kept       string  // what was kept
	change     *change // nil where the start was
}

// checks is how often within the steps the deployed unit is judged.
const checks = 4

// fit learns and returns what to deploy, never what is worse than the start.
func (f *fitting) fit(ctx context.Context) (outcome, error) {
	start, err := f.judge.measure(ctx, nil)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{start: start, end: start, kept: "the start"}
	if !(start > 0) || f.s.Steps == 0 {
		return out, nil
	}
	opt, err := optim.New(f.s.Optimizer, f.groups(), optim.Options{Threads: f.workers})
	if err != nil {
		return out, err
	}
	schedule, err := optim.FindSchedule(f.s.Schedule)
	if err != nil {
		return out, err
	}
	for step := range f.s.Steps {
		if err := context.Cause(ctx); err != nil {
			return out, err
		}
		l, err := f.step(ctx, start)
		if err != nil {
			return out, err
		}
		if math.IsNaN(l) || math.IsInf(l, 0) {
			out.kept += ", as the loss was no number after " + plural(step, "step")
			return out, nil
		}
		f.decide(step)
		opt.Step(f.s.rate() * schedule(step, f.s.Steps))
		f.bound()
		out.steps++
		f.told(out.steps)
		if (step+1)%max(1, f.s.Steps/checks) == 0 || step+1 == f.s.Steps {
			if err := f.look(ctx, &out, step); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// look judges the state after a step and keeps it where it is the best so far.
func (f *fitting) look(ctx context.Context, out *outcome, step int) error {
	last := step+1 == f.s.Steps
	if f.s.Finish == "last" && !last {
		return nil
	}
	c := f.harden()
	l, err := f.judge.measure(ctx, c)
	if err != nil {
		return err
	}
	if better(l, out.end) {
		out.end, out.change, out.kept = l, c, "the state after "+plural(step+1, "step")
	}
	return nil
}

// step adds the gradients of one batch, relative to the loss at the start.
func (f *fitting) step(ctx context.Context, start float64) (float64, error) {
	f.program.ZeroGrads()
	samples := f.draw(f.batch)
	total := 0.0
	for len(samples) > 0 {
		n := min(f.micro, len(samples))
		l, err := f.run(ctx, samples[:n], float64(n)/float64(f.batch)/start)
		if err != nil {
			return 0, err
		}
		total += l
		samples = samples[n:]
	}
	return total, nil
}

// run adds the gradients of some samples times a factor.
func (f *fitting) run(ctx context.Context, samples []int, factor float64) (float64, error) {
	in, err := f.read(samples)
	if err != nil {
		return 0, err
	}
	y, err := f.program.Forward(ctx, in)
	if err != nil {
		return 0, err
	}
	total := 0.0
	grads := make([]*tensor.Tensor, len(y))
	for k, v := range f.model.Graph.Outputs {
		if f.want[k], err = f.targets[v.Name].Read(samples, f.want[k]); err != nil {
			return 0, err
		}
		got := tensor.Data[float32](y[k])
		if len(f.dy[k]) < len(got) {
			f.dy[k] = make([]float32, len(got))
		}
		dy := f.dy[k][:len(got)]
		l, err := f.loss.measure(dy, got, f.want[k], samples)
		if err != nil {
			return 0, err
		}
		total += factor * l
		for i := range dy {
			dy[i] *= float32(factor)
		}
		grads[k] = tensor.Of(y[k].Shape, dy)
	}
	return total, f.program.Backward(ctx, grads)
}

// read returns the inputs of a batch.
func (f *fitting) read(samples []int) ([]*tensor.Tensor, error) {
	names := inputNames(f.model)
	if f.buf == nil {
		f.buf, f.mix = make([]*tensor.Tensor, len(names)), make([]*tensor.Tensor, len(names))
	}
	from := f.inputs
	if f.s.Input == "float" {
		from = f.floats
	}
	if err := from.read(names, samples, f.buf); err != nil {
		return nil, err
	}
	if f.s.Input != "mix" {
		return f.buf, nil
	}
	if err := f.floats.read(names, samples, f.mix); err != nil {
		return nil, err
	}
	for i, name := range names {
		if f.inputs[name] != f.floats[name] && f.buf[i].Type == tensor.Float32 {
			f.choose(tensor.Data[float32](f.buf[i]), tensor.Data[float32](f.mix[i]))
		}
	}
	return f.buf, nil
}

// choose puts elements of b into a at random.
func (f *fitting) choose(a, b []float32) {
	var bits uint64
	for i, x := range b {
		if i%64 == 0 {
			bits = f.rand.Uint64()
		}
		if bits&1 != 0 {
			a[i] = x
		}
		bits >>= 1
	}
}

// draw returns the next samples: all come once in each round. Samples of a batch have
// one shape.
func (f *fitting) draw(n int) []int {
	out := make([]int, 0, n)
	names := inputNames(f.model)
	for len(out) < n {
		if len(f.order) == 0 {
			f.order = f.rand.Perm(f.samples)
		}
		i := 0
		if len(out) > 0 {
			i = slices.IndexFunc(f.order, func(k int) bool { return f.inputs.alike(names, out[0], k) })
		}
		if i < 0 {
			if len(out) >= n/2 {
				break
			}
			f.order = nil
			continue
		}
		out = append(out, f.order[i])
		f.order = slices.Delete(f.order, i, i+1)
	}
	slices.Sort(out)
	return out
}

// decide adds the gradients of the term that makes roundings decide.
func (f *fitting) decide(step int) {
	from := int(f.s.Warmup * float64(f.s.Steps))
	if f.s.Lambda == 0 || step < from {
		return
	}
	t := float64(step-from) / float64(max(1, f.s.Steps-from))
	beta := 2 + (f.s.Beta-2)*(1-t)
	n := 0
	for _, w := range f.layers {
		if w.floor != nil {
			n += len(w.float)
		}
	}
	for _, w := range f.layers {
		if p := f.params[w.v.Name]; w.floor != nil {
			grad.RoundingTerm(p.Grad, p.Data, f.s.Lambda/float64(n), beta)
		}
	}
}

// bound keeps variables where they mean something.
func (f *fitting) bound() {
	for _, w := range f.layers {
		if w.floor == nil {
			n := float32(w.form.Encoded.Spec.Levels())
			v := f.of(w.v)
			for i, x := range v {
				v[i] = min(max(x, -n), n)
			}
		}
		if f.params[w.scale.Name] != nil {
			positive(f.of(w.scale), tensor.Data[float32](w.form.Encoded.Scale))
		}
	}
	for _, g := range f.grids {
		if g.scale != nil {
			positive(f.of(g.scale), []float32{g.Scale})
		}
	}
}

// positive keeps scales within a tenth and ten times what they were.
func positive(s, old []float32) {
	for i, x := range s {
		s[i] = min(max(x, old[i]/10), old[i]*10)
	}
}

// groups gives the optimiser its variables with the factors of their rates.
func (f *fitting) groups() []optim.Group {
	var out []optim.Group
	add := func(v *ir.Value, rate float64) {
		if v == nil || f.params[v.Name] == nil {
			return
		}
		p := f.params[v.Name]
		out = append(out, optim.Group{Params: [][]float32{p.Data}, Grads: [][]float32{p.Grad}, Rate: rate})
	}
	relative := f.s.ARate / f.s.rate()
	for _, w := range f.layers {
		add(w.v, 1)
		add(w.alpha, exponentRate)
		add(w.bias, relative*size(rows(w)))
		add(w.scale, relative*size(tensor.Data[float32](w.form.Encoded.Scale)))
	}
	seen := map[*ir.Value]bool{}
	for _, g := range f.grids {
		if g.scale != nil && !seen[g.scale] {
			seen[g.scale] = true
			add(g.scale, relative*float64(g.Scale))
		}
	}
	return out
}

// exponentRate is the rate of exponents relative to that of codes.
const exponentRate = 0.1

// rows are the norms of a layer's rows, which its results are about as large as.
func rows(w *latent) []float32 {
	sums := make([]float64, w.form.Encoded.Codes.Shape[w.form.Out])
	inner := tensor.Len(w.form.Encoded.Codes.Shape[w.form.Out+1:])
	for i, x := range w.float {
		sums[i/inner%len(sums)] += float64(x) * float64(x)
	}
	out := make([]float32, len(sums))
	for i, s := range sums {
		out[i] = float32(math.Sqrt(s))
	}
	return out
}

// size is the root mean square.
func size(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return max(math.Sqrt(sum/float64(max(1, len(x)))), 1e-12)
}
