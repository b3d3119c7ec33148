package train

import (
	"context"
	"fmt"
	"slices"

	"pare/compress"
	"pare/dataset"
	"pare/grad/optim"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "tune",
		Kind: compress.Tuning,
		Doc:  "train the weights that are left on data, towards labels and what the original network computes; pruned weights stay zero",
		Ref:  "[hinton15] Distilling the Knowledge in a Neural Network, arXiv:1503.02531",
		Data: true,
		New:  func() compress.Method { return NewTune() },
	})
}

// NewTune returns the defaults.
func NewTune() *Tune {
	return &Tune{
		Epochs: 5, Batch: 64, Optimizer: "auto", Schedule: "cosine", WarmUp: 0.05, Momentum: 0.9, Decay: 1e-4, Clip: 5,
		Distil: 0.9, Temperature: defaultTemperature, Distance: "auto", Augment: "auto", BN: "auto", Zeros: "keep",
	}
}

// Tune trains a network as it stands in a recipe.
type Tune struct {
	Epochs      int     `json:"epochs" doc:"how often training goes over the samples"`
	Steps       int     `json:"steps" doc:"steps of training in place of epochs, 0 for epochs"`
	Batch       int     `json:"batch" doc:"samples per step"`
	Optimizer   string  `json:"optimizer" doc:"how weights follow gradients; auto is sgd for convolutional networks, adamw for others" values:"auto|sgd|adam|adamw|adamax|nadam"`
	Rate        float64 `json:"rate" doc:"full learning rate, 0 for 0.01 with sgd and batch-norms, 0.001 with sgd and folded ones, 0.0001 with others"`
	Schedule    string  `json:"schedule" doc:"how the rate falls" values:"cosine|constant|linear|steps"`
	WarmUp      float64 `json:"warmup" doc:"share of the steps over which the rate rises first"`
	Momentum    float64 `json:"momentum" doc:"share of the last step that sgd keeps (Nesterov)"`
	Decay       float64 `json:"decay" doc:"weight decay"`
	Clip        float64 `json:"clip" doc:"largest norm of the gradient, 0 for any"`
	Distil      float64 `json:"distil" doc:"share of the loss that is the distance from what the original network computes, the rest being that of labels; 1 where there are no labels"`
	Temperature float64 `json:"temperature" doc:"of distil for classes: higher looks at unlikely classes, too"`
	Distance    string  `json:"distance" doc:"distance from the original: auto compares probabilities of classes and squares of all else" values:"auto|classes|squared|cosine"`
	Augment     string  `json:"augment" doc:"what is done to pictures before every step: auto flips and shifts coloured ones and shifts others" values:"auto|none|flip|shift|both"`
	Mixup       float64 `json:"mixup" doc:"mix pictures by pairs, in shares drawn from Beta(mixup, mixup); 0 for not"`
	BN          string  `json:"bn" doc:"statistics of batch-norms: those of the batch while training and of 1,024 samples in the end, or frozen; auto trains them in batches of 16 and more" values:"auto|train|frozen"`
	Zeros       string  `json:"zeros" doc:"whether weights that are zero stay so" values:"keep|free"`
}

// leastNormed is how many samples a batch needs for its statistics to be used.
const leastNormed = 16

// Validate implements compress.Method.
func (t *Tune) Validate() error {
	switch {
	case t.Epochs < 1 || t.Epochs > 10000:
		return fmt.Errorf("epochs=%d is not in 1..10000", t.Epochs)
	case t.Steps < 0:
		return fmt.Errorf("steps=%d is negative", t.Steps)
	case t.Batch < 1 || t.Batch > 1<<16:
		return fmt.Errorf("batch=%d is not in 1..65536", t.Batch)
	case !(t.Rate >= 0 && t.Rate <= 100):
		return fmt.Errorf("rate=%v is not in 0..100", t.Rate)
	case !(t.WarmUp >= 0 && t.WarmUp <= 0.9):
		return fmt.Errorf("warmup=%v is not in 0..0.9", t.WarmUp)
	case !(t.Momentum >= 0 && t.Momentum < 1):
		return fmt.Errorf("momentum=%v is not in 0..1", t.Momentum)
	case !(t.Decay >= 0 && t.Decay <= 1) || !(t.Clip >= 0):
		return fmt.Errorf("decay=%v is not in 0..1, or clip=%v is negative", t.Decay, t.Clip)
	case !(t.Distil >= 0 && t.Distil <= 1):
		return fmt.Errorf("distil=%v is not in 0..1", t.Distil)
	case !(t.Temperature >= 0.1 && t.Temperature <= 100):
		return fmt.Errorf("temperature=%v is not in 0.1..100", t.Temperature)
	case !(t.Mixup >= 0 && t.Mixup <= 10):
		return fmt.Errorf("mixup=%v is not in 0..10", t.Mixup)
	}
	return nil
}

// Apply implements compress.Method.
func (t *Tune) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if err := compress.Finite(m); err != nil {
		return err
	}
	o, err := t.Options(ctx, m, env)
	if err != nil {
		return err
	}
	before := ir.CloneModel(m)
	r, err := Fit(ctx, m, *env.Data, o, env.Resume)
	if err != nil {
		return err
	}
	t.tell(env, r)
	report(env, before, m, o)
	return nil
}

// Options are those of the loop.
func (t *Tune) Options(ctx context.Context, m *ir.Model, env *compress.Env) (Options, error) {
	s, err := optim.FindSchedule(t.Schedule)
	if err != nil {
		return Options{}, err
	}
	o := Options{
		Batch: t.Batch, Steps: t.Steps, Schedule: optim.WarmUp(t.WarmUp, s), Decay: t.Decay, Clip: t.Clip,
		Optim: optim.Options{Momentum: t.Momentum, Nesterov: t.Momentum > 0}, Teacher: env.Origin(), Distil: t.Distil, Temperature: t.Temperature, Distance: t.Distance,
		FreeZeros: t.Zeros == "free", Held: -1, Seed: env.Seed, Threads: env.Threads,
	}
	o.Skip = skipped(m, env)
	o.Optimizer, o.Rate = t.pace(m)
	o.Freeze = t.BN == "frozen" || t.BN == "auto" && t.Batch < leastNormed
	if o.Augment, err = t.augment(ctx, env); err != nil {
		return o, err
	}
	if o.Distil == 0 && labelled(env.Data.Set.Task()) {
		o.Teacher = nil
	}
	if o.Steps == 0 {
		o.Steps = t.Epochs * newOrder(samplesOf(*env.Data), o.Held, t.Batch, 0).perEpoch()
	}
	o.Progress = func(done, steps int, _ float64) { env.Advance("training", done, steps) }
	return o, nil
}

func labelled(task dataset.Task) bool {
	return task == dataset.Classification || task == dataset.NextToken
}

// pace is the optimiser and its rate.
func (t *Tune) pace(m *ir.Model) (name string, rate float64) {
	name, rate = t.Optimizer, t.Rate
	convolves := slices.ContainsFunc(m.Graph.Nodes, func(n *ir.Node) bool { return n.Op == "Conv" })
	attends := slices.ContainsFunc(m.Graph.Nodes, func(n *ir.Node) bool { return n.Op == "Softmax" && len(n.Out[0].Uses()) > 0 })
	if name == "auto" {
		name = "adamw"
		if convolves && !attends {
			name = "sgd"
		}
	}
	if rate == 0 {
		switch {
		case name != "sgd":
			rate = 1e-4
		case len(statistics(m.Graph)) == 0:
			rate = 1e-3
		default:
			rate = 1e-2
		}
	}
	return name, rate
}

// most is the share of the sides by which pictures are shifted: 4 pixels of 32 [he16].
const most = 0.125

// augment looks at a sample to know pictures from other inputs.
func (t *Tune) augment(ctx context.Context, env *compress.Env) (Augment, error) {
	a := Augment{Mixup: t.Mixup}
	switch t.Augment {
	case "flip", "both":
		a.Flip = true
	}
	switch t.Augment {
	case "shift", "both":
		a.Shift = most
	}
	if t.Augment != "auto" {
		return a, nil
	}
	b, err := env.Data.Set.Batch(ctx, 0, 1)
	if err != nil {
		return a, err
	}
	for _, x := range b.Inputs {
		if p, ok := asPictures(x); ok {
			a.Shift, a.Flip = most, p.planes*p.pixel > 1
		}
	}
	return a, nil
}

// skipped says which constants belong to layers that the recipe leaves alone.
func skipped(m *ir.Model, env *compress.Env) func(v *ir.Value) bool {
	left := map[*ir.Value]bool{}
	for _, l := range env.Layers(m) {
		if l.Left {
			for _, v := range l.Node.In {
				left[v] = true
			}
		}
	}
	return func(v *ir.Value) bool { return left[v] }
}
