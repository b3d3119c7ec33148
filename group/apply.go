package group

import (
	"fmt"

	"pare/ir"
)

// edit is a change on its way into a patch.
type edit struct {
	a *Analysis
	c *Change
	p *ir.Patch
	// takes is, by unit that stays, the unit that takes its place.
	takes []int
	// merged are, by unit that stays, the others that are merged into it.
	merged map[int][]int
	jobs   map[place]*job
	order  []place // of jobs
	// unread counts the reads of a constant that other constants have replaced.
	unread map[*ir.Value]int
	// dead are nodes that a selection stands in for.
	dead map[*ir.Node]bool
	// by are the values that others have been replaced by.
	by map[*ir.Value]*ir.Value
	// read are values that new nodes read.
	read map[*ir.Value]bool
	// wide are the types of results of slices that take all channels for now.
	wide map[*ir.Value]ir.Type
}

// Apply adds to p what makes the network follow c: constants lose, merge and
// reorder positions, shapes and other numbers of channels that nodes hold follow,
// types and statistics too. It reports a change that the analysis forbids. The
// analysis must be for Removing, and of the graph as it is.
func (a *Analysis) Apply(p *ir.Patch, c *Change) error {
	e, err := a.edit(c, p)
	if err != nil {
		return err
	}
	return e.run()
}

// edit checks a change and says which units take whose place.
func (a *Analysis) edit(c *Change, p *ir.Patch) (*edit, error) {
	if err := a.check(c); err != nil {
		return nil, err
	}
	takes, err := a.taken(c)
	if err != nil {
		return nil, err
	}
	e := &edit{a: a, c: c, p: p, takes: takes, merged: map[int][]int{}, jobs: map[place]*job{}, unread: map[*ir.Value]int{}, dead: map[*ir.Node]bool{}, by: map[*ir.Value]*ir.Value{}, read: map[*ir.Value]bool{}, wide: map[*ir.Value]ir.Type{}}
	for u, to := range c.Into {
		if to != u && to != Gone {
			e.merged[to] = append(e.merged[to], u)
		}
	}
	return e, nil
}

func (e *edit) run() error {
	if e.c.Compensate {
		if err := e.compensate(); err != nil {
			return err
		}
	}
	if err := e.constants(); err != nil {
		return err
	}
	e.reselect()
	for _, n := range e.a.graph.Nodes {
		f := followers[n.Op]
		if f == nil || ir.CanonicalDomain(n.Domain) != "" || e.dead[n] || !e.touches(n) {
			continue
		}
		if err := f(e, n); err != nil {
			return fmt.Errorf("%v: %w", n, err)
		}
	}
	for v := range e.a.graph.Values {
		e.value(v)
	}
	return nil
}

// stays reports whether a unit is there after the change.
func (e *edit) stays(u int) bool { return e.c.Into[u] == u }

// resizes reports whether a list of units gets shorter or longer.
func (e *edit) resizes(units []int) bool {
	for _, u := range units {
		if !e.stays(u) || e.c.times(u) != 1 {
			return true
		}
	}
	return false
}

// changes reports whether anything happens to a list of units.
func (e *edit) changes(units []int) bool {
	for _, u := range units {
		if e.takes[u] != u || len(e.merged[u]) > 0 {
			return true
		}
	}
	return e.resizes(units)
}

// touches reports whether a number of channels that n reads or computes changes.
func (e *edit) touches(n *ir.Node) bool {
	for _, list := range [][]*ir.Value{n.In, n.Out} {
		for _, v := range list {
			if l, ok := e.a.values[v]; ok && e.resizes(l.ids) {
				return true
			}
		}
	}
	return false
}

// kept are the positions of a list of units that are left. Those of a unit that is
// to occur several times are repeated as a whole where they lie side by side.
func (e *edit) kept(units []int) []int {
	out := make([]int, 0, len(units))
	for i := 0; i < len(units); {
		u, from := units[i], i
		for i < len(units) && units[i] == u {
			i++
		}
		for t := 0; t < e.c.times(u) && e.stays(u); t++ {
			out = append(out, count(i)[from:]...)
		}
	}
	return out
}

// sources says for every position that is left which one its content comes from:
// that of the same copy of the unit that takes its place.
func (e *edit) sources(units []int) []int {
	at, number := positions(units)
	out := e.kept(units)
	for i, k := range out {
		out[i] = at[e.takes[units[k]]][number[k]]
	}
	return out
}

// positions are, by unit, where it lies in a list, and, by position, which of
// those it is.
func positions(units []int) (at map[int][]int, number []int) {
	at, number = map[int][]int{}, make([]int, len(units))
	for i, u := range units {
		number[i] = len(at[u])
		at[u] = append(at[u], i)
	}
	return at, number
}

// value gives v the type and the statistics of what is left of it.
func (e *edit) value(v *ir.Value) {
	l, ok := e.a.values[v]
	if !ok || !e.changes(l.ids) {
		return
	}
	if e.resizes(l.ids) {
		t, ok := e.wide[v]
		if !ok {
			t = e.typeOf(v)
		}
		e.p.SetType(v, t)
	}
	if s := v.Stats; s != nil && len(s.Mean) > 1 {
		e.p.SetStats(v, e.stats(s, l))
	}
}

// typeOf is the type of v after the change.
func (e *edit) typeOf(v *ir.Value) ir.Type {
	t, l := v.Type, e.a.values[v]
	sizes, ok := e.sizes(v)
	if !t.Ranked || !ok {
		return t
	}
	t.Shape = append([]ir.Dim(nil), t.Shape...)
	for i, n := range sizes {
		switch d := &t.Shape[l.axes[i]]; {
		case i > 0 || !l.tiled:
			*d = ir.Known(n)
		case d.IsKnown():
			d.N = d.N / l.sizes[i] * n
		}
	}
	return t
}

func (e *edit) stats(s *ir.Stats, l labels) *ir.Stats {
	if !l.plain() || s.Axis != l.axis() || len(s.Mean) != len(l.ids) {
		return nil
	}
	at := e.sources(l.ids)
	of := func(x []float64) []float64 {
		if len(x) != len(l.ids) {
			return nil
		}
		return picked(x, at)
	}
	return &ir.Stats{Axis: s.Axis, Mean: of(s.Mean), Std: of(s.Std), Lo: of(s.Lo), Hi: of(s.Hi), Source: s.Source}
}
