package pass

import (
	"fmt"

	"pare/ir"
)

// rewrite collects the edits that carry out a fold.
func (f *bnFolder) rewrite(e *edit, r *region, c *candidate) string {
	for _, n := range f.g.Nodes {
		if why := r.rewriteNode(e, n); why != "" {
			return why
		}
	}
	x, y := c.data(f.work), c.node.Out[0]
	f.statistics(e, r, c, x, y)
	e.p.Replace(y, e.at(x))
	e.p.RemoveNode(c.node)
	return ""
}

// rewriteNode changes the parameters of one node.
func (r *region) rewriteNode(e *edit, n *ir.Node) string {
	l := r.leaves[n]
	if l == nil {
		l = r.roots[n]
	}
	if l != nil {
		return l.rewrite(e, r.before(l), r.behind(l))
	}
	p := r.passages[n]
	if p == nil {
		return ""
	}
	for i := range p.links {
		s := r.slotOf(n, &p.links[i])
		c := r.carries[s]
		if s.use.Node == nil || c == nil {
			continue
		}
		t, ok := r.change(c).applyTo(s.v.Const, c.axis)
		if !ok {
			return fmt.Sprintf("a constant of %v would not fit %v", n, s.v.Const.Type)
		}
		if !r.change(c).isIdentity() {
			e.setConst(n, s.use.In, t)
		}
	}
	return ""
}

// carried is what c says, the identity for channels outside the region.
func (c *carry) carried() affine {
	a := identityMap(len(c.affine.scale))
	for k := range a.scale {
		if c.inside(k) {
			a.scale[k], a.offset[k] = c.affine.scale[k], c.affine.offset[k]
		}
	}
	return a
}

// change is what happens to a carried value.
func (r *region) change(c *carry) affine {
	if !r.backward {
		return c.carried().inverse()
	}
	return c.carried()
}

// before is what a layer must undo of its operand: the old one in terms of the new.
func (r *region) before(l *layer) affine {
	switch c := r.carries[slot{v: l.in()}]; {
	case r.leaves[l.node] == nil:
		return identityMap(l.inC)
	case r.backward:
		return c.carried().inverse()
	default:
		return c.carried()
	}
}

// behind is what a layer must do to its result.
func (r *region) behind(l *layer) affine {
	if r.roots[l.node] == nil {
		return identityMap(l.outC)
	}
	return r.change(r.carries[slot{v: l.out}])
}
