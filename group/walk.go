package group

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// walk is an analysis under way.
type walk struct {
	a *Analysis
	m *ir.Model
	u union
	// origin says why the channels of a value without labels are pinned once
	// somebody asks for them.
	origin map[*ir.Value]string
	// filled are values with the same number everywhere.
	filled map[*ir.Value]bool
}

func (w *walk) rescaling() bool { return w.a.Purpose == Rescaling }

// node labels the results of n.
func (w *walk) node(n *ir.Node) {
	for _, g := range n.Subgraphs() {
		for _, v := range g.Captures() {
			w.pinValue(v, fmt.Sprintf("a sub-graph of %v reads it", n))
		}
	}
	r := rules[n.Op]
	if ir.CanonicalDomain(n.Domain) != "" || w.m.Function(n) != nil || r == nil {
		w.stop(n, fmt.Sprintf("there is no rule for %v", n))
		return
	}
	if len(n.In) == 0 || n.In[0] == nil || len(n.Out) == 0 || n.Out[0] == nil {
		w.stop(n, fmt.Sprintf("%v lacks an operand or result", n))
		return
	}
	r(w, n)
}

// stop pins what n reads; what it computes is pinned when somebody asks.
func (w *walk) stop(n *ir.Node, why string) {
	for _, v := range n.In {
		if v != nil {
			w.pinValue(v, why)
		}
	}
	for _, v := range n.Out {
		if v != nil {
			w.origin[v] = why
		}
	}
}

func (w *walk) pinValue(v *ir.Value, why string) {
	if l, ok := w.a.values[v]; ok {
		w.u.pin(l.ids, why)
	}
}

// need returns the classes of the size channels of v along axis, for a node
// that reads them there. Where v has none, or others, they are new and pinned.
func (w *walk) need(n *ir.Node, v *ir.Value, axis, size int) []int {
	l, ok := w.a.values[v]
	if ok && l.plain() && l.axis() == axis && len(l.ids) == size {
		return l.ids
	}
	ids := w.u.fresh(size)
	if ok {
		why := fmt.Sprintf("%v reads its channels along another axis", n)
		w.u.pin(l.ids, why)
		w.u.pin(ids, why)
		return ids
	}
	if w.fits(v, axis, size) {
		w.set(v, axis, ids)
		return ids
	}
	why := w.origin[v]
	if why == "" {
		why = fmt.Sprintf("nothing is known of the channels of %q", v.Name)
	}
	w.u.pin(ids, why)
	w.set(v, axis, ids)
	return ids
}

func (w *walk) set(v *ir.Value, axis int, ids []int) {
	w.put(v, along(axis, ids))
}

func (w *walk) put(v *ir.Value, l labels) {
	if v != nil {
		w.a.values[v] = l
	}
}

// alike is the labels ids along axis, with the copies of v where it has as many.
func (w *walk) alike(v *ir.Value, axis int, ids []int) labels {
	l := along(axis, ids)
	if old := w.a.values[v]; len(old.ids) == len(ids) {
		l.copies = old.copies
	}
	return l
}

// pass gives the results of n the labels of v.
func (w *walk) pass(n *ir.Node, v *ir.Value) {
	for _, out := range n.Out {
		if out == nil {
			continue
		}
		if l, ok := w.a.values[v]; ok {
			l.src, l.from = nil, nil
			w.a.values[out] = l
		} else {
			w.origin[out] = w.origin[v]
		}
	}
}

// link ties a constant operand to classes. Without a constant the classes are
// pinned.
func (w *walk) link(n *ir.Node, operand, axis int, role Role, power int, ids []int) {
	if operand >= len(n.In) || n.In[operand] == nil {
		return
	}
	if dq, d := decoding(n.In[operand]); dq != nil {
		w.linkDecoded(n, dq, d, axis, role, ids)
		return
	}
	w.add(&Link{Node: n, Operand: operand, Axis: axis, Role: role, Power: power, Groups: 1, Units: ids})
}

// add records a link, or pins its classes where the constant cannot be changed.
func (w *walk) add(l *Link) {
	switch c := l.Value().Const; {
	case c == nil:
		w.u.pin(l.Units, fmt.Sprintf("operand %d of %v is computed", l.Operand, l.Node))
	case !c.Type.IsFloat() || w.rescaling() && l.Power != 0 && c.Type != tensor.Float32:
		w.u.pin(l.Units, fmt.Sprintf("operand %d of %v holds %v", l.Operand, l.Node, c.Type))
	case l.Axis >= c.Rank() || c.Shape[l.Axis]*l.Groups != len(l.Units):
		w.u.pin(l.Units, fmt.Sprintf("operand %d of %v has the shape %v", l.Operand, l.Node, c.Shape))
	default:
		w.a.Links = append(w.a.Links, l)
	}
}

// param ties a constant that is broadcast against a value of the given rank: its
// positions along the channel axis are parameters. A constant that is the same
// for all channels is no matter, unless it is added to channels that are
// rescaled.
func (w *walk) param(n *ir.Node, operand, rank, axis, power int, ids []int) {
	if operand >= len(n.In) || n.In[operand] == nil {
		return
	}
	c := stored(n.In[operand])
	if c == nil {
		w.u.pin(ids, fmt.Sprintf("operand %d of %v is computed", operand, n))
		return
	}
	at := axis - (rank - c.Rank())
	switch {
	case at >= 0 && at < c.Rank() && c.Shape[at] == len(ids) && (len(ids) > 1 || c.Len() > 1 || power != 0):
		w.link(n, operand, at, Parameter, power, ids)
	case w.rescaling() && power != 0 && !allZero(c):
		w.u.pin(ids, fmt.Sprintf("%v combines all channels with the same number", n))
	}
}

func allZero(c *tensor.Tensor) bool {
	return !slices.ContainsFunc(tensor.Float64s(c), func(x float64) bool { return x != 0 })
}

// pinShared pins the units of weights that several operands share, or that
// callers of the network may replace.
func (w *walk) pinShared() {
	for _, l := range w.a.Links {
		v := l.Value()
		switch {
		case slices.Contains(w.m.Graph.Inputs, v) && !w.listsAll():
			w.u.pin(l.Units, fmt.Sprintf("%q may be replaced by callers of the network", v.Name))
		case w.m.Graph.IsOutput(v):
			w.u.pin(l.Units, fmt.Sprintf("%q is an output of the network", v.Name))
		case len(v.Uses()) > 1 && v.Const.Rank() > 1:
			w.u.pin(l.Units, fmt.Sprintf("%q is read in several places", v.Name))
		}
	}
}

// listsAll reports whether all constants are listed as inputs, as files had to
// before version 4: it says nothing of them then.
func (w *walk) listsAll() bool { return w.m.IRVersion > 0 && w.m.IRVersion < 4 }

// constOf is the data of a constant, be it an initialiser or a Constant node;
// nil for all else.
func constOf(v *ir.Value) *tensor.Tensor {
	if v == nil || v.Const != nil {
		if v == nil {
			return nil
		}
		return v.Const
	}
	if p := v.Producer(); p != nil && p.Op == "Constant" {
		return p.Tensor("value")
	}
	return nil
}

// ints reads a list from a constant operand, or from an attribute as older
// operator sets have it; ok is false when it is computed.
func ints(n *ir.Node, operand int, attr string) (list []int, ok bool) {
	if operand < len(n.In) && n.In[operand] != nil {
		c := constOf(n.In[operand])
		if c == nil {
			return nil, false
		}
		for _, x := range tensor.Float64s(c) {
			list = append(list, int(x))
		}
		return list, true
	}
	return n.Ints(attr), true
}
