package prune

import (
	"context"
	"math"
	"slices"

	"pare/compress"
	"pare/group"
	"pare/ir"
	"pare/op"
)

// reduce hashes, merges, and removes what costs nothing or what the amount asks for.
func (q *RED) reduce(ctx context.Context, m *ir.Model, env *compress.Env) (*work, error) {
	if _, err := op.Infer(m); err != nil {
		return nil, err
	}
	if err := compress.Finite(m); err != nil {
		return nil, err
	}
	w := newWork(m, env)
	hash, near, same, amount := step{"hash", q.hash}, step{"merge what is near", q.near}, step{"merge what is alike", q.same}, step{"remove channels", q.amount}
	steps := []step{hash, near, same, amount, same}
	if q.Given() && q.Merge == explained {
		// Weights are fitted anew: they are hashed behind.
		steps = []step{same, amount, hash, near, same}
	}
	for _, s := range steps {
		if err := s.run(ctx, w); err != nil {
			return nil, err
		}
		if err := env.Phase(ctx, m, s.what); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// step is one of those that RED consists of.
type step struct {
	what string
	run  func(ctx context.Context, w *work) error
}

// hash hashes all weights.
func (q *RED) hash(ctx context.Context, w *work) error {
	if !q.Hash {
		return nil
	}
	return w.hash(ctx, q.hashing())
}

// near merges what alpha allows.
func (q *RED) near(ctx context.Context, w *work) error {
	if q.Alpha == 0 {
		return nil
	}
	_, err := w.merge(ctx, q, true)
	return err
}

// same merges identical neurons until there are none.
func (q *RED) same(ctx context.Context, w *work) error {
	for {
		if n, err := w.merge(ctx, q, false); err != nil || n == 0 {
			return err
		}
	}
}

// amount removes what is asked for, or what costs nothing.
func (q *RED) amount(ctx context.Context, w *work) error {
	if q.Merge != explained && q.Given() {
		return q.nearest(ctx, w)
	}
	by := q.Structured
	by.surgeon = true
	_, _, err := by.remove(ctx, w.m, w.env, still(unscored))
	return err
}

// nearest merges the nearest neurons of all groups, distances being relative to
// those of their group, until the amount is reached.
func (q *RED) nearest(ctx context.Context, w *work) error {
	p, s := prepared(w.m, w.env)
	like := newLikeness(w.m, s.a, q.Scaled)
	merges := map[*block][]merge{}
	for _, b := range s.blocks {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		b.least = q.floor(b.size())
		b.rank(make([]float64, b.size()), p.free(b))
		b.free = 0
		if !computed(b.Group) {
			b.least = b.size()
			continue
		}
		merges[b] = linkages[q.Linkage](newDistances(newJoint(like.parts(b.Group), w.env.Threads), w.env.Threads))
		b.orderBy(merges[b])
	}
	spread := spreads[q.Scope]
	if spread == nil {
		spread = globally
	}
	if err := s.allocate(newBudget(q.Amount, s), spread, q.Align); err != nil {
		return err
	}
	c := s.a.Keep()
	for _, b := range s.blocks {
		for k, to := range clusters(b.size(), merges[b][:min(b.removed, len(merges[b]))]) {
			c.Into[b.Units[k]] = b.Units[to]
		}
	}
	_, err := w.apply(like, c, q, false)
	return err
}

// orderBy makes units go in the order of their merges.
func (b *block) orderBy(merges []merge) {
	b.order = b.order[:0]
	last := b.size() * (b.size() - 1) / 2 // less all others: the one that is left
	for _, m := range merges {
		b.order, last = append(b.order, m.unit), last-m.unit
		b.scores[m.unit] = min(m.cost, math.MaxFloat32)
	}
	b.order = append(b.order, last)
	b.scores[last] = slices.Max(b.scores)
}

// floor is how many of n units stay.
func (q *Structured) floor(n int) int {
	return min(n, max(q.Keep, int(q.KeepShare*float64(n)+0.999)))
}

// computed reports whether a node computes the units of g.
func computed(g *group.Group) bool {
	return slices.ContainsFunc(g.Links, func(l *group.Link) bool { return l.Role != group.Column })
}
