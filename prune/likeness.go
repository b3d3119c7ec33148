package prune

import (
	"iter"

	"pare/group"
	"pare/ir"
	"pare/op"
)

// likeness tells which units are alike: as they are, or up to a factor.
type likeness struct {
	a      *group.Analysis // for removing
	scales *group.Scales   // nil where units are compared as they are
}

func newLikeness(m *ir.Model, a *group.Analysis, scaled bool) *likeness {
	l := &likeness{a: a}
	if scaled {
		l.scales = a.Scales(m)
	}
	return l
}

// parts are those of the vectors of the units of g: multiples have equal ones.
func (l *likeness) parts(g *group.Group) iter.Seq2[*group.Link, [][]float64] {
	if l.scales != nil {
		return l.scales.Parts(g)
	}
	return l.a.Parts(g)
}

// rounding is how far apart, relative to their length, vectors of units that are
// alike may be once they are scaled.
const rounding = 1e-5

// align returns the scales that give merged units the length of those that they go
// into; nil where units are compared as they are. With strictly, units stay that
// these do not make the same: something else ties their scale.
func (l *likeness) align(c *group.Change, strictly bool) []float64 {
	if l.scales == nil {
		return nil
	}
	scale, same := l.scales.Align(c.Into, rounding)
	for u, to := range c.Into {
		if strictly && to != u && !same[u] {
			c.Into[u] = u
		}
	}
	return scale
}

// apply makes merged units alike in scale, then merges them. It returns how many went.
func (w *work) apply(l *likeness, c *group.Change, q *RED, strictly bool) (int, error) {
	a, scale := l.a, l.align(c, strictly)
	gone := merged(c)
	if gone == 0 {
		return 0, nil
	}
	if scale != nil {
		p := ir.NewPatch(w.m.Graph, "scale neurons that are merged")
		if err := l.scales.Rescaling().Rescale(p, scale); err != nil {
			return 0, err
		}
		if err := w.change(p); err != nil {
			return 0, err
		}
		a = group.Analyse(w.m, group.Removing)
	}
	c.Average = q.Aggregate == "mean"
	w.note(a, c)
	p := ir.NewPatch(w.m.Graph, "merge neurons")
	if err := a.Apply(p, c); err != nil {
		return 0, err
	}
	return gone, w.change(p)
}

// merged is how many units a change merges into others.
func merged(c *group.Change) (n int) {
	for u, to := range c.Into {
		if to != u {
			n++
		}
	}
	return n
}

// change changes the network.
func (w *work) change(p *ir.Patch) error {
	if err := p.Apply(); err != nil {
		return err
	}
	_, err := op.Infer(w.m)
	return err
}
