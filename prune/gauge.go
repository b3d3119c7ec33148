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
	if g.Path != "exact" || !g.row.path {
		return g.along(ctx, m, grp, -1)
	}
	out := make([]float64, len(grp.Units))
	for k := range out {
		scores, err := g.along(ctx, m, grp, k)
		if err != nil {
			return nil, err
		}
		out[k] = scores[k]
	}
	return out, nil
}

// along scores units of a group while one of them, or all with -1, go to nothing.
func (g *gauge) along(ctx context.Context, m *ir.Model, grp *group.Group, only int) ([]float64, error) {
	list := bundlesOf(grp)
	w := &walkDown{gauge: g, all: strands(list)}
	if len(w.all) == 0 {
		return nil, &unscorable{"no weights compute its channels"}
	}
	o := grad.Options{Outputs: judgedOf(m), Threads: g.threads}
	for _, s := range w.all {
		o.Params = append(o.Params, s.value)
	}
	var err error
	if w.prog, err = grad.New(m, o); err != nil {
		return nil, err
	}
	for i, p := range w.prog.Params() {
		w.all[i].param, w.all[i].was = p, append([]float32(nil), p.Data...)
	}
	scores := make([]float64, len(grp.Units))
	w.note = func(t float64) {
		r := g.row.read(list, t, g.Norm, len(scores))
		for k := range scores {
			scores[k] += g.row.gather(r.norms[k], r.signed[k])
		}
	}
	return scores, w.down(ctx, only)
}

// walkDown follows the path of one group.
type walkDown struct {
	*gauge
	prog *grad.Program
	all  []*strand
	note func(t float64) // takes a reading
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
			if err := w.pass(ctx, l, t); err != nil {
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
func (w *walkDown) pass(ctx context.Context, l *lesson, t float64) error {
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
	w.note(t)
	if w.tick != nil {
		w.tick()
	}
	return nil
}
