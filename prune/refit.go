package prune

import (
	"context"

	"pare/group"
	"pare/ir"
)

// fit fits the layers of the pruned network anew.
func (p *pruning) fit(ctx context.Context, c *group.Change) error {
	f := &fitting{env: p.env, before: p.view.m, after: p.m, smp: p.view.smp, places: p.view.places}
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
	for _, t := range f.fitted {
		if a, ok := done[t.now.Name]; ok {
			a.picked(t.rows).inverse().change(t.w, t.offset)
		}
		if err := t.store(m, now[t.now.Name]); err != nil {
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
