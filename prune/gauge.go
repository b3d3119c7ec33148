package prune

import (
	"context"
	"fmt"
	"math"
	"slices"

	"pare/grad"
	"pare/group"
	"pare/ir"
	"pare/tensor"
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
	r := newScored(grp)
	if len(r.bundles) == 0 {
		return nil, &unscorable{unweighted}
	}
	return r.scores, g.walk(ctx, m, strands(r.bundles), only, func(t float64) { r.note(g, t) })
}

// together scores the units of several groups where the network stands, in one pass
// for all.
func (g *gauge) together(ctx context.Context, m *ir.Model, groups []*group.Group) (map[*group.Group][]float64, error) {
	out, all := map[*group.Group][]float64{}, []*strand{}
	var list []*scored
	for _, grp := range groups {
		if r := newScored(grp); len(r.bundles) > 0 {
			list, all, out[grp] = append(list, r), append(all, strands(r.bundles)...), r.scores
		}
	}
	if len(list) == 0 {
		return out, nil
	}
	return out, g.walk(ctx, m, all, -1, func(t float64) {
		for _, r := range list {
			r.note(g, t)
		}
	})
}

// scored is a group whose units are being scored.
type scored struct {
	bundles []*bundle
	scores  []float64
}

func newScored(grp *group.Group) *scored {
	return &scored{bundlesOf(grp), make([]float64, len(grp.Units))}
}

// note takes a reading at t.
func (r *scored) note(g *gauge, t float64) {
	got := g.row.read(r.bundles, t, g.Norm, len(r.scores))
	for k := range r.scores {
		r.scores[k] += g.row.gather(got.norms[k], got.signed[k])
	}
}

// walkDown follows the path of some strands. What they have no effect on is computed
// once for all steps.
type walkDown struct {
	*gauge
	all        []*strand
	tail       *tail
	head, body *grad.Program
	inputs     []*ir.Value     // of the whole network
	computed   []*ir.Value     // by the head, of what the tail is fed with
	note       func(t float64) // takes a reading
}

// walk takes strands, of one unit or of all with -1, along the path, on all lessons.
func (g *gauge) walk(ctx context.Context, m *ir.Model, all []*strand, only int, note func(t float64)) error {
	w := &walkDown{gauge: g, all: all, note: note}
	var constants, own []*ir.Value
	for _, s := range all { // groups may share a constant
		if !slices.Contains(constants, s.value) {
			constants = append(constants, s.value)
		}
	}
	w.tail = tailOf(m, constants)
	for _, v := range constants {
		own = append(own, w.tail.m.Graph.Value(v.Name))
	}
	var err error
	if w.body, err = grad.New(w.tail.m, grad.Options{Params: own, Outputs: w.tail.judged, Threads: g.threads}); err != nil {
		return err
	}
	if w.computed = slices.DeleteFunc(slices.Clone(w.tail.fed), func(v *ir.Value) bool { return v.Producer() == nil }); len(w.computed) > 0 {
		if w.head, err = grad.New(m, grad.Options{Outputs: w.computed, Threads: g.threads}); err != nil {
			return err
		}
	}
	w.inputs = slices.DeleteFunc(slices.Clone(m.Graph.Inputs), func(v *ir.Value) bool { return v.Const != nil })
	for _, s := range all {
		s.param = w.body.Params()[slices.Index(constants, s.value)]
		s.was = slices.Clone(s.param.Data)
	}
	for _, l := range g.lessons {
		if err := w.down(ctx, l, only); err != nil {
			return err
		}
	}
	return nil
}

// down goes through one lesson.
func (w *walkDown) down(ctx context.Context, l *lesson, only int) error {
	fed, err := w.feed(ctx, l)
	if err != nil {
		return err
	}
	steps := 0
	if w.row.path {
		steps = w.Steps
	}
	for s := range steps + 1 {
		t := math.Pow(w.Mu, float64(s))
		if s > 0 {
			for _, x := range w.all {
				x.set(float32(t), only)
			}
		}
		if err := w.pass(ctx, l, fed, t); err != nil {
			return err
		}
	}
	for _, x := range w.all {
		x.restore()
	}
	return nil
}

// feed computes what the tail reads.
func (w *walkDown) feed(ctx context.Context, l *lesson) (out []*tensor.Tensor, err error) {
	var got []*tensor.Tensor
	if w.head != nil {
		if got, err = w.head.Forward(ctx, l.in); err != nil {
			return nil, err
		}
	}
	for _, v := range w.tail.fed {
		if i := slices.Index(w.inputs, v); i >= 0 {
			out = append(out, l.in[i])
		} else {
			out = append(out, got[slices.Index(w.computed, v)])
		}
	}
	return out, nil
}

// pass takes one reading.
func (w *walkDown) pass(ctx context.Context, l *lesson, fed []*tensor.Tensor, t float64) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	out, err := w.body.Forward(ctx, fed)
	if err != nil {
		return err
	}
	loss, slopes := l.loss(out, w.tail.heads)
	if loss-loss != 0 {
		return fmt.Errorf("what the network gets wrong is no finite number where its channels count %.3g", t)
	}
	w.body.ZeroGrads()
	if err := w.body.Backward(ctx, slopes); err != nil {
		return err
	}
	w.note(t)
	if w.tick != nil {
		w.tick()
	}
	return nil
}
