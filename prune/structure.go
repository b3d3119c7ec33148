package prune

import (
	"cmp"
	"slices"

	"pare/group"
	"pare/ir"
	"pare/op"
)

// structure is what can be removed of a network, and what the network costs as it
// shrinks: constants lose rows and columns, so that costs are products of what is
// left of their axes.
type structure struct {
	m      *ir.Model
	a      *group.Analysis
	blocks []*block
	total  price // of the network as it is
	now    price // with what has been removed so far
	units  int   // of all blocks
	gone   int   // units removed so far
}

// price is what the network costs.
type price struct{ macs, params int64 }

// block is a group whose units can be removed.
type block struct {
	*group.Group
	touches [][]touch // by unit: which axes it shortens
	least   int       // units that must stay
	order   []int     // the units by position in Units, those to remove first in front
	scores  []float64 // by unit: what the order follows
	free    int       // how many in front of the order cost nothing
	removed int       // how many of the order are removed
}

// size is the number of units.
func (b *block) size() int { return len(b.Units) }

// most is how many units may be removed: those that cost nothing in any case,
// but never all.
func (b *block) most() int { return max(b.size()-b.least, min(b.free, b.size()-1), 0) }

// axis is one axis of a constant along which units lie.
type axis struct {
	left int
	part *part
}

// touch is a unit's share of an axis.
type touch struct {
	*axis
	n int
}

// part is a constant with axes that may shrink. Its costs are per element of the
// product of these axes.
type part struct {
	axes []*axis
	per  price
}

func (p *part) price() price {
	n := int64(1)
	for _, a := range p.axes {
		n *= int64(a.left)
	}
	return price{n * p.per.macs, n * p.per.params}
}

// newStructure analyses the network, whose types must be known. allowed says which
// groups may be pruned.
func newStructure(m *ir.Model, allowed func(g *group.Group) bool) *structure {
	s := &structure{m: m, a: group.Analyse(m, group.Removing)}
	s.total = costOf(m)
	s.now = s.total
	axes := s.axes()
	for _, g := range s.a.Groups {
		if g.Pinned() || !allowed(g) {
			continue
		}
		b := &block{Group: g, touches: make([][]touch, len(g.Units))}
		at := map[int]int{}
		for i, u := range g.Units {
			at[u] = i
		}
		for _, l := range g.Links {
			for i, n := range counts(l, at, len(g.Units)) {
				if x := axes[place{l.Value(), l.Axis}]; n > 0 {
					b.touches[i] = append(b.touches[i], touch{x, n})
				}
			}
		}
		s.blocks, s.units = append(s.blocks, b), s.units+b.size()
	}
	return s
}

// place is an axis of a constant.
type place struct {
	value *ir.Value
	axis  int
}

// axes finds the axes along which units lie. A constant that several nodes read
// has its axes once, and the multiply-accumulates of all.
func (s *structure) axes() map[place]*axis {
	axes, parts, done := map[place]*axis{}, map[*ir.Value]*part{}, map[*ir.Node]bool{}
	for _, l := range s.a.Links {
		v := l.Value()
		p := parts[v]
		if p == nil {
			p = &part{per: price{params: int64(v.Const.Len())}}
			parts[v] = p
		}
		if axes[place{v, l.Axis}] == nil {
			x := &axis{left: v.Const.Shape[l.Axis], part: p}
			axes[place{v, l.Axis}], p.axes = x, append(p.axes, x)
		}
		if n, _ := op.MACs(l.Node); l.Operand < 2 && !done[l.Node] {
			p.per.macs, done[l.Node] = p.per.macs+n, true
		}
	}
	for _, p := range parts {
		for _, x := range p.axes {
			p.per.macs, p.per.params = p.per.macs/int64(max(1, x.left)), p.per.params/int64(max(1, x.left))
		}
	}
	return axes
}

// counts says how many positions of the link each of n units takes; at finds units.
func counts(l *group.Link, at map[int]int, n int) []int {
	out := make([]int, n)
	for _, u := range l.Units {
		if i, own := at[u]; own {
			out[i]++
		}
	}
	return out
}

// costOf is what the network costs now.
func costOf(m *ir.Model) (c price) {
	for _, n := range m.Graph.Nodes {
		macs, _ := op.MACs(n)
		c.macs += macs
	}
	for _, v := range m.Graph.Consts {
		if v.Const.Type.IsFloat() {
			c.params += int64(v.Const.Len())
		}
	}
	return c
}

// set removes the first n units of the order of b, and puts others back.
func (s *structure) set(b *block, n int) {
	for ; b.removed < n; b.removed++ {
		s.shrink(b.touches[b.order[b.removed]], -1)
		s.gone++
	}
	for ; b.removed > n; b.removed-- {
		s.shrink(b.touches[b.order[b.removed-1]], 1)
		s.gone--
	}
}

// shrink takes what a unit touches away, or gives it back.
func (s *structure) shrink(touches []touch, sign int) {
	for _, t := range touches {
		before := t.part.price()
		t.left += sign * t.n
		after := t.part.price()
		s.now.macs += after.macs - before.macs
		s.now.params += after.params - before.params
	}
}

// rank orders the units of b by score, those that cost nothing in front.
func (b *block) rank(scores []float64, free []bool) {
	b.scores, b.free = scores, 0
	b.order = make([]int, b.size())
	for i := range b.order {
		b.order[i] = i
		if free[i] {
			b.free++
		}
	}
	slices.SortStableFunc(b.order, func(i, j int) int {
		switch {
		case free[i] == free[j]:
			return cmp.Compare(scores[i], scores[j])
		case free[i]:
			return -1
		}
		return 1
	})
}
