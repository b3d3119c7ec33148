package prune

import (
	"context"
	"fmt"

	"pare/compress"
	"pare/group"
	"pare/ir"
	"pare/op"
)

// Structured are the parameters of methods that remove whole channels.
type Structured struct {
	Amount
	Scope      string  `json:"scope" doc:"how much goes where: the same share of every group (layer), the lowest scores of all relative to their group (global), or what a model of the error of each group finds cheapest for what it saves (model)" values:"layer|global|model"`
	Compensate string  `json:"compensate" doc:"what makes up for removed channels: nothing, their mean in the biases of the layers that read them, or also the weights of these layers fitted anew to what the network computed before, on data or on synthetic inputs that batch-norms confirm" values:"none|mean|fit"`
	Align      int     `json:"align" doc:"channels are kept in multiples of it where a group has at least four times as many"`
	Keep       int     `json:"keep" doc:"channels that every group keeps at least, but for those that cost nothing"`
	KeepShare  float64 `json:"keepshare" doc:"share of its channels that every group keeps at least, likewise"`
	surgeon    bool
}

// usual are the defaults of Structured.
func usual() Structured {
	return Structured{Amount: Free, Scope: "model", Compensate: "fit", Align: 1, Keep: 8, KeepShare: 0.1}
}

// check reports the first problem with the parameters.
func (q *Structured) check() error {
	switch {
	case q.Align < 1 || q.Align > 1024:
		return fmt.Errorf("align=%d is not in 1..1024", q.Align)
	case q.Keep < 1:
		return fmt.Errorf("keep=%d: every group keeps one channel at least", q.Keep)
	case !(q.KeepShare >= 0 && q.KeepShare <= 1):
		return fmt.Errorf("keepshare=%v is not in 0 to 1", q.KeepShare)
	}
	return q.Amount.check()
}

// criterion scores the units of a group, least important first; it says why where
// it cannot.
type criterion func(ctx context.Context, a *group.Analysis, g *group.Group) (scores []float64, why string, err error)

// still is a criterion that runs nothing.
func still(f func(a *group.Analysis, g *group.Group) ([]float64, string)) criterion {
	return func(_ context.Context, a *group.Analysis, g *group.Group) ([]float64, string, error) {
		scores, why := f(a, g)
		return scores, why, nil
	}
}

// spreads are the scopes.
var spreads = map[string]func(s *structure, want *budget){"layer": evenly, "global": globally}

// prune removes the units that the criterion ranks lowest.
func (q *Structured) prune(ctx context.Context, m *ir.Model, env *compress.Env, score criterion) error {
	p, s, err := q.remove(ctx, m, env, score)
	if err != nil {
		return err
	}
	p.report(m, s)
	return nil
}

// remove is prune without a report.
func (q *Structured) remove(ctx context.Context, m *ir.Model, env *compress.Env, score criterion) (*pruning, *structure, error) {
	if _, err := op.Infer(m); err != nil {
		return nil, nil, err
	}
	if err := compress.Finite(m); err != nil {
		return nil, nil, err
	}
	p, s := prepared(m, env)
	return p, s, q.take(ctx, p, s, score)
}

// take removes the units that the criterion ranks lowest, and makes up for them.
func (q *Structured) take(ctx context.Context, p *pruning, s *structure, score criterion) error {
	if err := q.choose(ctx, p, s, score); err != nil {
		return err
	}
	return q.carryOut(ctx, p, s)
}

// carryOut removes the units that were chosen, and makes up for them.
func (q *Structured) carryOut(ctx context.Context, p *pruning, s *structure) error {
	change := s.change(q.Compensate != "none")
	if err := p.apply(ctx, change); err != nil {
		return err
	}
	if p.repair == "fit" {
		return p.fit(ctx, change)
	}
	return nil
}

// choose decides which units go: as many of every block as the scope says, those that
// the criterion ranks lowest.
func (q *Structured) choose(ctx context.Context, p *pruning, s *structure, score criterion) error {
	if err := q.rank(ctx, s, p, score); err != nil {
		return err
	}
	if err := q.look(ctx, p); err != nil {
		return err
	}
	spread, err := q.spread(ctx, s, p)
	if err != nil {
		return err
	}
	return s.allocate(newBudget(q.Amount, s), spread, q.Align)
}

// look runs the network on samples where that is of use, and decides what makes up for
// removed units: what costs nothing needs no looking at, and weights fitted to made-up
// samples that no batch-norm confirms are worse than those that there were.
func (q *Structured) look(ctx context.Context, p *pruning) error {
	if p.repair = "none"; q.Compensate != "none" {
		p.repair = "mean"
	}
	if !q.Given() || q.Compensate == "none" && q.Scope != "model" && !q.surgeon {
		return nil
	}
	why, err := p.newView(ctx)
	switch {
	case err != nil || q.Compensate != "fit":
	case p.view.doubtful():
		p.env.Warn("means are made up for, no weights are fitted: there are no data, and no batch-norms to tell whether synthetic inputs look like data to the layers")
	case p.view != nil:
		p.repair = "fit"
	}
	if why != "" {
		p.env.Warn("no samples tell what layers read, so that errors are predicted, and means made up for, as far as batch-norms tell, and no weights are fitted: %s", why)
	}
	return err
}

// apply removes the units.
func (p *pruning) apply(ctx context.Context, change *group.Change) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	change.Stats = p.stats
	patch := ir.NewPatch(p.m.Graph, "remove channels")
	if err := p.a.Apply(patch, change); err != nil {
		return err
	}
	if err := patch.Apply(); err != nil {
		return err
	}
	_, err := op.Infer(p.m)
	return err
}

// spread is how units are spread over blocks.
func (q *Structured) spread(ctx context.Context, s *structure, p *pruning) (func(*structure, *budget), error) {
	f := spreads[q.Scope]
	if !q.Given() || f != nil && !q.surgeon {
		return f, nil
	}
	e := p.newErrorModel(p.repair)
	costs := map[*block][]float64{}
	for _, b := range s.blocks {
		var err error
		if q.surgeon {
			b.order, costs[b], err = e.surgery(ctx, b, p.free(b))
			b.scoreBy(costs[b])
		} else {
			costs[b], err = e.costs(ctx, b)
		}
		if err != nil {
			return nil, err
		}
	}
	if f == nil {
		f = marginally(costs)
	}
	return f, nil
}

// scoreBy scores units by what they add to costs in the order of the block, never
// less than those before.
func (b *block) scoreBy(costs []float64) {
	top := 0.0
	for k, i := range b.order {
		if k+1 < len(costs) {
			top = max(top, costs[k+1]-costs[k])
		}
		b.scores[i] = top
	}
}

// rank scores the units of every block. Blocks that the criterion cannot score
// keep all that does not cost nothing.
func (q *Structured) rank(ctx context.Context, s *structure, p *pruning, score criterion) error {
	for _, b := range s.blocks {
		b.least = q.floor(b.size())
		scores, why, err := score(ctx, s.a, b.Group)
		if err != nil {
			return fmt.Errorf("channels of %q: %w", b.ID, err)
		}
		if why != "" {
			p.left[b.Group], b.least, scores = why, b.size(), make([]float64, b.size())
		}
		b.rank(scores, p.free(b))
	}
	return nil
}

// change is what has been removed, for package group.
func (s *structure) change(compensate bool) *group.Change {
	c := s.a.Keep()
	c.Compensate = compensate
	for _, b := range s.blocks {
		for _, i := range b.order[:b.removed] {
			c.Into[b.Units[i]] = group.Gone
		}
	}
	return c
}
