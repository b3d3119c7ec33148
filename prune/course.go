package prune

import (
	"context"
	"fmt"
	"math"
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/grad/optim"
	"pare/group"
	"pare/ir"
	"pare/op"
	"pare/train"
)

// Schooling are the parameters of training while a network is pruned.
type Schooling struct {
	Epochs  float64 `json:"epochs" doc:"passes over the data to train for, while channels go and after; 0 for none"`
	Entwine bool    `json:"entwine" doc:"with epochs, remove channels group by group, ranked anew each time, and train in between; otherwise remove all at once and train then"`
	Order   string  `json:"order" doc:"of the groups: from the input to the output, or back" values:"forward|backward"`
	LR      float64 `json:"lr" doc:"rate of training at its height, of gradient descent with momentum 0.9"`
	Decay   float64 `json:"decay" doc:"share of weights that pulls them towards 0 in training"`
	Distil  float64 `json:"distil" doc:"share of the loss that is the distance from the answers of the original network, 0 to 1; all of it where there are no labels"`
	Freeze  bool    `json:"freeze" doc:"batch-norms keep the statistics that they have while training"`
}

func (q *Schooling) check() error {
	switch {
	case !(q.Epochs >= 0 && q.Epochs <= 1e5):
		return fmt.Errorf("epochs=%v is not in 0..100000", q.Epochs)
	case !(q.LR > 0 && q.LR <= 100):
		return fmt.Errorf("lr=%v is not above 0 and up to 100", q.LR)
	case !(q.Decay >= 0 && q.Decay < 1):
		return fmt.Errorf("decay=%v is not in 0 to 1, without 1", q.Decay)
	case !(q.Distil >= 0 && q.Distil <= 1):
		return fmt.Errorf("distil=%v is not in 0 to 1", q.Distil)
	}
	return nil
}

// course is one run of pruning by a ranking, with training or without.
type course struct {
	*Gradual
	*ranking
	m       *ir.Model
	env     *compress.Env
	first   *pruning   // of the network as it was
	plan    *structure // with what goes of it
	trainer *train.Trainer
	samples *samples // that readers of removed channels are fitted on; nil until they are
	steps   int      // of training in all
	done    int      // samples that the network was run on, in units of progress
	total   int
}

// start ranks channels and decides how many of every group go.
func (c *course) start(ctx context.Context) error {
	if _, err := op.Infer(c.m); err != nil {
		return err
	}
	if err := finite(c.m); err != nil {
		return err
	}
	if err := c.prepare(ctx, c.m, c.env); err != nil {
		return err
	}
	c.first, c.plan = prepared(c.m, c.env)
	passes := 0
	for _, b := range c.plan.blocks {
		passes += c.passes(b.size())
	}
	c.budget(passes)
	return c.choose(ctx, c.first, c.plan, c.of(c.m))
}

// budget works out how long the course is: a ranking takes so many passes.
func (c *course) budget(passes int) {
	rankings := 1
	if c.Epochs > 0 {
		n := c.env.Data.Set.Len()
		if c.env.Data.Samples > 0 {
			n = min(n, c.env.Data.Samples)
		}
		c.steps = max(1, int(math.Round(c.Epochs*float64(n)/trainedBatch)))
		if c.Entwine {
			rankings = 2
		}
	}
	c.total = rankings*passes*c.Batch + c.steps*trainedBatch
	c.tick = func() { c.advance(c.Batch) }
}

// trainedBatch is the number of samples of a step of training.
const trainedBatch = 64

// advance tells of samples that the network was run on, forward and back.
func (c *course) advance(samples int) {
	c.done += samples
	c.env.Advance("samples", min(c.done, c.total), c.total)
}

// follow removes what the plan says.
func (c *course) follow(ctx context.Context) error {
	switch {
	case c.Epochs == 0:
		return c.carryOut(ctx, c.first, c.plan)
	case c.Entwine:
		return c.entwined(ctx)
	}
	return c.apart(ctx)
}

// apart removes all channels at once, then trains.
func (c *course) apart(ctx context.Context) error {
	original := ir.CloneModel(c.m)
	if err := c.carryOut(ctx, c.first, c.plan); err != nil {
		return err
	}
	if err := c.env.Phase(ctx, c.m, "remove channels"); err != nil {
		return err
	}
	if err := c.enrol(ctx, original); err != nil {
		return err
	}
	return c.finish(ctx)
}

// entwined removes the channels of one group after the other, with training in between.
func (c *course) entwined(ctx context.Context) error {
	if err := c.enrol(ctx, ir.CloneModel(c.m)); err != nil {
		return err
	}
	var list []*block
	for _, b := range c.plan.blocks {
		if b.removed > 0 {
			list = append(list, b)
		}
	}
	if c.Order == "backward" {
		list = reversed(list)
	}
	for i, b := range list {
		var s stage
		err := c.stage(ctx, "group "+b.ID, &s, c.until(i, len(list)), func() (err error) {
			if s.Gone, err = c.lowest(ctx, b); err != nil {
				return err
			}
			return c.without(ctx, b.ID, s.Gone)
		}, func() error { return c.without(ctx, b.ID, s.Gone) })
		if err != nil {
			return err
		}
	}
	return c.finish(ctx)
}

// inBetween is the share of the training that is done while groups still go.
const inBetween = 0.8

// until is the number of steps behind stage i of n.
func (c *course) until(i, n int) int {
	return int(float64(c.steps) * inBetween * float64(i+1) / float64(n))
}

// stage is what the removal of a group and the training behind it leave.
type stage struct {
	Gone       []int // places of removed units in their group
	Checkpoint *train.Checkpoint
}

// stage removes by make and trains until so many steps are done, unless an interrupted
// run has done so: again then removes the same.
func (c *course) stage(ctx context.Context, key string, s *stage, until int, make, again func() error) error {
	made := false
	err := c.env.Resume(key, s, func() (err error) {
		made = true
		if err := make(); err != nil {
			return err
		}
		if err := c.trainer.Steps(ctx, until-c.trainer.Done()); err != nil {
			return err
		}
		s.Checkpoint, err = c.trainer.Checkpoint()
		return err
	})
	if err != nil || made {
		return err
	}
	if err := again(); err != nil {
		return err
	}
	c.advance((s.Checkpoint.Done - c.trainer.Done()) * trainedBatch)
	return c.trainer.Restore(s.Checkpoint)
}

// lowest are the units of a group of the plan that rank lowest by now.
func (c *course) lowest(ctx context.Context, planned *block) ([]int, error) {
	if err := c.trainer.Store(); err != nil {
		return nil, err
	}
	p, s := prepared(c.m, c.env)
	b := s.block(planned.ID)
	if b == nil || b.size() != planned.size() {
		return nil, fmt.Errorf("internal error: the group %q is not what it was", planned.ID)
	}
	scores, why, err := c.of(c.m)(ctx, s.a, b.Group)
	if err != nil || why != "" {
		return nil, fmt.Errorf("channels of %q: %w%s", b.ID, err, why)
	}
	b.rank(scores, p.free(b))
	return b.order[:planned.removed], nil
}

// without removes units of a group from the network that is trained.
func (c *course) without(ctx context.Context, id string, gone []int) error {
	p, s := prepared(c.m, c.env)
	b := s.block(id)
	change := s.a.Keep()
	change.Compensate = c.Compensate != "none"
	for _, i := range gone {
		change.Into[b.Units[i]] = group.Gone
	}
	moved, err := s.a.Sources(change)
	if err != nil {
		return err
	}
	before := ir.CloneModel(c.m)
	if err := p.apply(ctx, change); err != nil {
		return err
	}
	if err := c.refit(ctx, p, change, before, b); err != nil {
		return err
	}
	return c.trainer.Exchange(moved)
}

// fittedSamples is the number of samples that what reads a group is fitted on.
const fittedSamples = 256

// refit fits what reads a group of which units went to what is left of it.
func (c *course) refit(ctx context.Context, p *pruning, change *group.Change, before *ir.Model, b *block) error {
	if c.Compensate != "fit" {
		return nil
	}
	if c.samples == nil {
		s, why, err := newSamples(ctx, c.m, c.env, fittedSamples)
		if err != nil || why != "" {
			return err
		}
		c.samples = s
	}
	reads := map[*ir.Node]bool{}
	for _, l := range b.Links {
		reads[l.Node] = reads[l.Node] || l.Role == group.Column
	}
	f := &fitting{
		env: c.env, before: before, after: c.m, smp: c.samples, places: viewPlaces,
		rows: func(n *ir.Node) []int { return p.stay(n, change) }, only: func(n *ir.Node) bool { return reads[n] },
	}
	return f.run(ctx)
}

// block finds a block by the name of its group.
func (s *structure) block(id string) *block {
	for _, b := range s.blocks {
		if b.ID == id {
			return b
		}
	}
	return nil
}

func reversed[T any](list []T) []T {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}

// enrol prepares the training of the network as it is.
func (c *course) enrol(ctx context.Context, original *ir.Model) (err error) {
	data := calib.Data{}
	if c.env.Data != nil {
		data = *c.env.Data
	}
	o := train.Options{
		Steps: c.steps, Batch: trainedBatch, Optimizer: "sgd", Optim: optim.Options{Momentum: 0.9, Nesterov: true}, Rate: c.LR, Decay: c.Decay, Freeze: c.Freeze,
		Teacher: original, Distil: c.Distil, Augment: train.Augment{Flip: true, Shift: 0.125}, Seed: c.env.Seed, Threads: c.env.Threads,
		Progress: func(int, int, float64) { c.advance(trainedBatch) },
	}
	c.trainer, err = train.New(ctx, c.m, data, o)
	return err
}

// finish trains for what is left of the steps, and looks at the statistics of
// batch-norms again.
func (c *course) finish(ctx context.Context) error {
	if err := c.trainer.Steps(ctx, c.steps-c.trainer.Done()); err != nil {
		return err
	}
	if err := c.trainer.Store(); err != nil || c.Freeze {
		return err
	}
	return c.trainer.Refresh(ctx)
}
