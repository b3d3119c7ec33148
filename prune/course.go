package prune

import (
	"context"
	"fmt"
	"math"
	"pare/compress"
	"pare/group"
	"pare/ir"
	"pare/op"
	"pare/train"
	"slices"
)

// course is one run of pruning by a ranking, with training or without.
type course struct {
	*Gradual
	*ranking
	m       *ir.Model
	env     *compress.Env
	first   *pruning   // of the network as it was
	plan    *structure // with what goes of it
	trainer *train.Trainer
	freeze  bool     // batch-norms keep their statistics
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
	if err := compress.Finite(c.m); err != nil {
		return err
	}
	c.first, c.plan = prepared(c.m, c.env)
	if len(c.plan.blocks) > 0 {
		if err := c.prepare(ctx, c.m, c.env); err != nil {
			return err
		}
	}
	c.budget(c.passes(c.plan.blocks, true), c.passes(c.plan.blocks, false))
	return c.choose(ctx, c.first, c.plan, c.ofAll(c.m, c.plan.blocks))
}

// budget works out how long the course is: the first ranking takes so many passes, and
// so many the one of groups in turn.
func (c *course) budget(passes, inTurn int) {
	if c.Epochs > 0 {
		n := c.env.Data.Set.Len()
		if c.env.Data.Samples > 0 {
			n = min(n, c.env.Data.Samples)
		}
		c.steps = max(1, int(math.Round(c.Epochs*float64(n)/trainedBatch)))
		if c.Entwine {
			passes += inTurn
		}
	}
	c.total = passes*c.Batch + c.steps*trainedBatch
	c.tick = func() { c.advance(c.Batch) }
}

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
	if err := c.carryOut(ctx, c.first, c.plan); err != nil {
		return err
	}
	if err := c.env.Phase(ctx, c.m, "remove channels"); err != nil {
		return err
	}
	if err := c.enrol(ctx); err != nil {
		return err
	}
	return c.finish(ctx)
}

// entwined removes the channels of one group after the other, with training in between.
func (c *course) entwined(ctx context.Context) error {
	if err := c.enrol(ctx); err != nil {
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

// until is the number of steps behind stage i of n.
func (c *course) until(i, n int) int {
	return int(float64(c.steps) * c.Between * float64(i+1) / float64(n))
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
func (c *course) enrol(ctx context.Context) error {
	t := c.tune()
	o, err := t.Options(ctx, c.m, c.env)
	if err != nil {
		return err
	}
	o.Steps, o.Held = c.steps, 0
	o.Progress = func(int, int, float64) { c.advance(t.Batch) }
	c.freeze = o.Freeze
	c.trainer, err = train.New(ctx, c.m, *c.env.Data, o)
	return err
}

// finish trains for what is left of the steps, and looks at the statistics of
// batch-norms again.
func (c *course) finish(ctx context.Context) error {
	if err := c.trainer.Steps(ctx, c.steps-c.trainer.Done()); err != nil {
		return err
	}
	if err := c.trainer.Store(); err != nil || c.freeze {
		return err
	}
	return c.trainer.Refresh(ctx)
}
