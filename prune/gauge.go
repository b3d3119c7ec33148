package prune

import (
	"context"
	"fmt"
	"math"

	"pare/grad"
	"pare/group"
	"pare/ir"
)

// gauge scores units by gradients of what the network gets wrong on lessons.
type gauge struct {
	Sampling
	Journey
	row     relevance
	lessons []*lesson
	threads int
	tick    func() // after every pass, nil for nothing
}

// scores are those of the units of a group of m.
func (g *gauge) scores(ctx context.Context, m *ir.Model, grp *group.Group) ([]float64, error) {
	w, err := g.walk(m, grp)
	if err != nil {
		return nil, err
	}
	if g.Path != "exact" || !g.row.path {
		return w.scores, w.down(ctx, -1)
	}
	for k := range grp.Units {
		if err := w.down(ctx, k); err != nil {
			return nil, err
		}
	}
	return w.scores, nil
}

// alone scores one unit of a group.
func (g *gauge) alone(ctx context.Context, m *ir.Model, grp *group.Group, unit int) ([]float64, error) {
	w, err := g.walk(m, grp)
	if err != nil {
		return nil, err
	}
	return w.scores, w.down(ctx, unit)
}

// walk prepares to score the units of a group.
func (g *gauge) walk(m *ir.Model, grp *group.Group) (*walkDown, error) {
	list := bundlesOf(grp)
	all := strands(list)
	if len(all) == 0 {
		return nil, &unscorable{"no weights compute its channels"}
	}
	o := grad.Options{Outputs: judgedOf(m), Threads: g.threads}
	for _, s := range all {
		o.Params = append(o.Params, s.value)
	}
	prog, err := grad.New(m, o)
	if err != nil {
		return nil, err
	}
	for i, p := range prog.Params() {
		all[i].param, all[i].was = p, append([]float32(nil), p.Data...)
	}
	return &walkDown{gauge: g, prog: prog, list: list, all: all, scores: make([]float64, len(grp.Units))}, nil
}

// walkDown follows the path of one group.
type walkDown struct {
	*gauge
	prog   *grad.Program
	list   []*bundle
	all    []*strand
	scores []float64
}

// down takes one unit, or all with -1, along the path.
func (w *walkDown) down(ctx context.Context, only int) error {
	steps := 0
	if w.row.path {
		steps = w.Steps
	}
	for _, l := range w.lessons {
		for s := range steps + 1 {
			t := math.Pow(w.Mu, float64(s))
			if s > 0 {
				for _, x := range w.all {
					x.set(float32(t), only)
				}
			}
			if err := w.pass(ctx, l, t, only); err != nil {
				return err
			}
		}
		for _, x := range w.all {
			x.restore()
		}
	}
	return nil
}

// pass takes one reading.
func (w *walkDown) pass(ctx context.Context, l *lesson, t float64, only int) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	out, err := w.prog.Forward(ctx, l.in)
	if err != nil {
		return err
	}
	loss, slopes := l.loss(out)
	if loss-loss != 0 {
		return fmt.Errorf("what the network gets wrong is no finite number where its channels count %.3g", t)
	}
	w.prog.ZeroGrads()
	if err := w.prog.Backward(ctx, slopes); err != nil {
		return err
	}
	r := w.row.read(w.list, t, w.Norm, len(w.scores))
	for k := range w.scores {
		if only < 0 || k == only {
			w.scores[k] += w.row.gather(r.norms[k], r.signed[k])
		}
	}
	if w.tick != nil {
		w.tick()
	}
	return nil
}
