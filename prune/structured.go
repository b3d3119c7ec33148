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
	Compensate string  `json:"compensate" doc:"what makes up for removed channels: nothing, their mean in the biases of the layers that read them, or also the weights of these layers fitted anew to what the network computed before, on data or synthetic inputs" values:"none|mean|fit"`
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
type criterion func(a *group.Analysis, g *group.Group) (scores []float64, why string)

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
	if err := finite(m); err != nil {
		return nil, nil, err
	}
	p, s := prepared(m, env)
	return p, s, q.take(ctx, p, s, score)
}

// prepared analyses a network, whose types must be known.
func prepared(m *ir.Model, env *compress.Env) (*pruning, *structure) {
	p := newPruning(m, env)
	s := newStructure(m, p.allowed)
	p.a, p.readers = s.a, readersOf(s.a)
	for _, n := range m.Graph.Nodes {
		if _, units, ok := s.a.Channels(n.Out[0]); ok {
			p.computed[n.Name] = units
		}
	}
	return p, s
}

// take removes the units that the criterion ranks lowest, and makes up for them.
func (q *Structured) take(ctx context.Context, p *pruning, s *structure, score criterion) error {
	m := p.m
	if err := q.rank(s, p, score); err != nil {
		return err
	}
	if q.Given() && (q.Compensate != "none" || q.Scope == "model") {
		why, err := p.newView(ctx)
		if err != nil {
			return err
		}
		if why != "" {
			p.env.Warn("nothing is known of how channels are related, so weights cannot be fitted anew: %s", why)
		}
	}
	want := newBudget(q.Amount, s)
	spread, err := q.spread(ctx, s, p)
	if err != nil {
		return err
	}
	if err := s.allocate(want, spread); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	change := s.change(q.Compensate != "none")
	change.Stats = p.stats
	patch := ir.NewPatch(m.Graph, "remove channels")
	if err := s.a.Apply(patch, change); err != nil {
		return err
	}
	if err := patch.Apply(); err != nil {
		return err
	}
	if _, err := op.Infer(m); err != nil {
		return err
	}
	if q.Compensate == "fit" && p.view != nil {
		return p.fit(ctx, change)
	}
	return nil
}

// spread is how units are spread over blocks.
func (q *Structured) spread(ctx context.Context, s *structure, p *pruning) (func(*structure, *budget), error) {
	f := spreads[q.Scope]
	if f != nil && !q.surgeon || !q.Given() {
		return f, nil
	}
	e := p.newErrorModel(q.Compensate)
	costs := map[*block][]float64{}
	for _, b := range s.blocks {
		if q.surgeon {
			order, c, err := e.surgery(ctx, b, p.free(b))
			if err != nil {
				return nil, err
			}
			b.order, costs[b] = order, c
			b.scoreBy(c)
			continue
		}
		c, err := e.costs(ctx, b)
		if err != nil {
			return nil, err
		}
		costs[b] = c
	}
	if f != nil {
		return f, nil
	}
	return marginally(costs), nil
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
func (q *Structured) rank(s *structure, p *pruning, score criterion) error {
	for _, b := range s.blocks {
		b.least = max(q.Keep, int(q.KeepShare*float64(b.size())+0.999))
		scores, why := score(s.a, b.Group)
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

// fit fits the layers of the pruned network anew.
func (p *pruning) fit(ctx context.Context, c *group.Change) error {
	f := &fitting{env: p.env, before: p.view.m, after: p.m, smp: p.view.smp, ridge: fitRidge, places: viewPlaces}
	f.rows = func(n *ir.Node) []int { return p.stay(n, c) }
	if p.view.adapted == nil {
		return f.run(ctx)
	}
	f.after = ir.CloneModel(p.m)
	for _, n := range f.after.Graph.Nodes {
		if a, ok := p.view.adapted[n.Name]; ok {
			if err := a.picked(p.stay(n, c)).rows(f.after, n); err != nil {
				return err
			}
		}
	}
	if err := f.run(ctx); err != nil {
		return err
	}
	return f.takeBack(p.m, p.view.adapted)
}

// takeBack gives m the fitted weights of the adapted network, without the adaptation.
func (f *fitting) takeBack(m *ir.Model, done map[string]affine) error {
	now := map[string]*ir.Node{}
	for _, n := range m.Graph.Nodes {
		now[n.Name] = n
	}
	for _, t := range f.list() {
		n := t.now
		if a, ok := done[n.Name]; ok {
			if err := a.picked(t.rows).inverse().rows(f.after, n); err != nil {
				return err
			}
		}
		p := ir.NewPatch(m.Graph, "fit "+n.String())
		for i := 1; i < len(n.In); i++ {
			if n.In[i] != nil && n.In[i].Const != nil {
				replace(p, now[n.Name], i, n.In[i].Name, n.In[i].Const)
			}
		}
		if err := p.Apply(); err != nil {
			return err
		}
	}
	return nil
}

// stay are the channels of what a node computes that are kept.
func (p *pruning) stay(n *ir.Node, c *group.Change) (out []int) {
	for i, u := range p.computed[n.Name] {
		if c.Into[u] == u {
			out = append(out, i)
		}
	}
	return out
}
