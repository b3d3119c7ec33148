package pass

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
)

// region is the part of a graph over which a change per channel spreads: from
// one value through all passages to the layers that can take it up. Roots are
// layers whose results change, leaves those whose operands do [yvinec22].
type region struct {
	*work
	// start is the value at which the change begins, fold the node that disappears
	// and takes no part.
	start slot
	fold  *ir.Node
	// backward says that values become scale·x + offset; otherwise they are what
	// the new ones give by that formula.
	backward bool
	both     bool // a layer may be root and leaf
	// weak says why no leaf could undo the change accurately; "" when it could.
	weak string

	carries  map[slot]*carry
	passages map[*ir.Node]*passage
	roots    map[*ir.Node]*layer
	leaves   map[*ir.Node]*layer
	queue    []slot
}

// slot is a value, or a constant as one node reads it: constants that several
// nodes read are changed for each of them on its own.
type slot struct {
	v   *ir.Value
	use ir.Use
}

// carry is the change of a value. Scales are NaN for channels outside the region.
type carry struct {
	axis   int // of a constant: counted from the end
	affine affine
}

func (c *carry) inside(k int) bool { return !math.IsNaN(c.affine.scale[k]) }

// slotOf is the slot of operand i of n.
func (w *work) slotOf(n *ir.Node, l *link) slot {
	if w.constant(l.in) {
		return slot{l.in, ir.Use{Node: n, In: l.operand}}
	}
	return slot{v: l.in}
}

// spread finds the region of a change that begins at r.start with the given
// scales. It returns why there is none.
func (r *region) spread(axis int, scale []float64) string {
	r.carries, r.passages = map[slot]*carry{}, map[*ir.Node]*passage{}
	r.roots, r.leaves = map[*ir.Node]*layer{}, map[*ir.Node]*layer{}
	if why := r.merge(r.start, axis, scale); why != "" {
		return why
	}
	for len(r.queue) > 0 {
		s := r.queue[0]
		r.queue = r.queue[1:]
		if s.use.Node != nil {
			continue
		}
		if why := r.producer(s.v); why != "" {
			return why
		}
		for _, u := range s.v.Uses() {
			if why := r.consumer(s.v, u); why != "" {
				return why
			}
		}
	}
	return r.roles()
}

// merge adds channels to what a slot carries.
func (r *region) merge(s slot, axis int, scale []float64) string {
	c := r.carries[s]
	if c == nil {
		if r.g.IsOutput(s.v) {
			return fmt.Sprintf("%s, which would change, is an output of the graph", quoted(s.v))
		}
		c = &carry{axis: axis, affine: affine{slices.Repeat([]float64{math.NaN()}, len(scale)), make([]float64, len(scale))}}
	}
	if c.axis != axis || len(c.affine.scale) != len(scale) {
		return fmt.Sprintf("%s has its channels along two axes", quoted(s.v))
	}
	grew := false
	for k, x := range scale {
		switch {
		case math.IsNaN(x):
		case !c.inside(k):
			c.affine.scale[k] = x
			grew = true
		case c.affine.scale[k] != x:
			return fmt.Sprintf("channels with different scales meet in %s", quoted(s.v))
		}
	}
	if grew {
		r.carries[s] = c
		r.queue = append(r.queue, s)
	}
	return ""
}

// producer spreads to where v comes from.
func (r *region) producer(v *ir.Value) string {
	n := v.Producer()
	switch {
	case n == nil && v.Const != nil:
		return fmt.Sprintf("%s is a constant", quoted(v))
	case n == nil:
		return fmt.Sprintf("%s is an input of the graph", quoted(v))
	case n == r.fold && r.backward:
		return fmt.Sprintf("%v reads and writes what would change", n)
	case n == r.fold:
		return ""
	}
	axis := r.carries[slot{v: v}].axis
	l, why := r.layer(n, v, axis)
	if l != nil && l.out == v {
		r.roots[n] = l
		return ""
	}
	return r.pass(n, v, axis, why)
}

// consumer spreads to one reader of v.
func (r *region) consumer(v *ir.Value, u ir.Use) string {
	n := u.Node
	switch {
	case u.In < 0:
		return fmt.Sprintf("a sub-graph of %v reads %s", n, quoted(v))
	case n == r.fold && !r.backward:
		return fmt.Sprintf("%v reads and writes what would change", n)
	case n == r.fold:
		return ""
	case contentFree[n.Op] && r.plain(n):
		return ""
	case !slices.Contains(n.In, v):
		return fmt.Sprintf("a sub-graph reads %s", quoted(v))
	}
	axis := r.carries[slot{v: v}].axis
	l, why := r.layer(n, v, axis)
	if l != nil && u.In == l.operand {
		r.leaves[n] = l
		return ""
	}
	return r.pass(n, v, axis, why)
}

// pass spreads through the passage n.
func (r *region) pass(n *ir.Node, v *ir.Value, axis int, why string) string {
	p := r.passages[n]
	if p == nil {
		if p = r.passage(n, v, axis); p == nil {
			if why == "" {
				why = notAffine(n)
			}
			return why
		}
		r.passages[n] = p
	}
	if !p.has(v) {
		return notAffine(n)
	}
	from := r.carries[slot{v: v}].affine.scale
	for i := range p.links {
		l := &p.links[i]
		in, out := r.slotOf(n, l), slot{v: l.out}
		if l.in == v && in.use.Node == nil {
			if why := r.merge(out, l.outAxis, l.forward(from)); why != "" {
				return why
			}
		}
		if l.out == v {
			scale, why := l.back(from)
			if why == "" {
				why = r.merge(in, l.inAxis, scale)
			}
			if why != "" {
				return why
			}
		}
	}
	return ""
}

// forward carries scales of the operand to the result.
func (l *link) forward(scale []float64) []float64 {
	out := slices.Repeat([]float64{math.NaN()}, l.outC)
	for k := range out {
		if c := l.channel(k); c >= 0 {
			out[k] = scale[c]
		}
	}
	return out
}

// back carries scales of the result to the operand.
func (l *link) back(scale []float64) ([]float64, string) {
	in := slices.Repeat([]float64{math.NaN()}, l.inC)
	for k, s := range scale {
		c := l.channel(k)
		if c < 0 || math.IsNaN(s) {
			continue
		}
		if !math.IsNaN(in[c]) && in[c] != s {
			return nil, fmt.Sprintf("channel %d of %s would need two scales", c, quoted(l.in))
		}
		in[c] = s
	}
	return in, ""
}

// roles checks what needs no offsets: who is root and leaf, and the signs.
func (r *region) roles() string {
	for _, n := range r.g.Nodes {
		if l := r.roots[n]; l != nil && r.leaves[n] != nil && !(r.both && !l.diagonal) {
			return fmt.Sprintf("%v reads and writes what would change", n)
		}
		if why := r.invertible(n); why != "" {
			return why
		}
		if r.leaves[n] != nil && r.backward && r.weak != "" {
			return r.weak
		}
		p := r.passages[n]
		if p == nil || !p.positive {
			continue
		}
		for i := range p.links {
			c := r.carries[r.slotOf(n, &p.links[i])]
			if c != nil && slices.ContainsFunc(c.affine.scale, func(s float64) bool { return s <= 0 }) {
				return fmt.Sprintf("%v lets only positive scales pass", n)
			}
		}
	}
	return r.constants()
}

// constants reports a scale of zero by which a constant would be divided.
func (r *region) constants() string {
	for _, s := range r.ends() {
		if !r.backward && s.use.Node != nil && slices.Contains(r.carries[s].affine.scale, 0) {
			return fmt.Sprintf("its scale is zero where %v adds a constant to it", s.use.Node)
		}
	}
	return ""
}

// invertible reports a scale of zero that n would have to undo.
func (r *region) invertible(n *ir.Node) string {
	var v *ir.Value
	if l := r.leaves[n]; l != nil && r.backward {
		v = l.in()
	} else if l := r.roots[n]; l != nil && !r.backward {
		v = l.out
	} else {
		return ""
	}
	for k, s := range r.carries[slot{v: v}].affine.scale {
		if s == 0 {
			return fmt.Sprintf("its scale is zero in channel %d, which %v could not undo", k, n)
		}
	}
	return ""
}
