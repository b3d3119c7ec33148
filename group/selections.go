package group

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// reselect replaces chains of nodes that reorder channels over several axes by
// selections, where what is left of the channels fills no grid.
func (e *edit) reselect() {
	for _, n := range slices.Clone(e.a.graph.Nodes) {
		for _, v := range n.Out {
			s, ok := e.a.selections[v]
			if !ok || e.regular(v, s.src) {
				continue
			}
			src := e.a.values[s.src]
			e.replace(v, s.src, src.axis(), e.renumbered(src.ids, s.at), e.typeOf(v))
			e.dead[n] = true
		}
	}
	e.bury()
}

// regular reports whether everything between src and v keeps full grids.
func (e *edit) regular(v, src *ir.Value) bool {
	for v = v.Producer().In[0]; v != src; v = v.Producer().In[0] {
		if _, ok := e.sizes(v); !ok {
			return false
		}
	}
	return true
}

// replace makes readers of v read the channels at of src instead.
func (e *edit) replace(v, src *ir.Value, axis int, at []int, t ir.Type) {
	list := tensor.New(tensor.Int64, len(at))
	for i, k := range at {
		tensor.Data[int64](list)[i] = int64(k)
	}
	if by := e.by[src]; by != nil {
		src = by
	}
	e.read[src] = true
	out := e.p.Node(v.Name+"_channels", "Gather", []*ir.Value{src, e.p.Const(v.Name+"_indices", list)}, ir.Attr{Name: "axis", Value: int64(axis)})
	e.p.SetType(out, t)
	if l := e.a.values[v]; v.Stats != nil {
		e.p.SetStats(out, e.stats(v.Stats, l))
	}
	e.p.Replace(v, out)
	e.by[v] = out
}

// selectBehind lets a slice take all channels and a selection behind it those that
// it had.
func (e *edit) selectBehind(n *ir.Node, axis int, at []int) {
	v := n.Out[0]
	e.replace(v, v, axis, at, e.typeOf(v))
	t := v.Type
	t.Shape = slices.Clone(t.Shape)
	t.Shape[axis] = ir.Known(len(e.kept(e.a.values[n.In[0]].ids)))
	e.wide[v] = t
}

// bury removes nodes of which only removed ones read a result.
func (e *edit) bury() {
	for _, n := range slices.Backward(slices.Clone(e.a.graph.Nodes)) {
		if !e.dead[n] && !e.unreadNode(n) {
			continue
		}
		e.dead[n] = true
		e.p.RemoveNode(n)
	}
}

// unreadNode reports whether removed nodes alone read what n computes.
func (e *edit) unreadNode(n *ir.Node) bool {
	used := false
	for _, v := range n.Out {
		if v == nil {
			continue
		}
		if e.a.graph.IsOutput(v) || e.read[v] {
			return false
		}
		for _, u := range v.Uses() {
			if used = true; !e.dead[u.Node] {
				return false
			}
		}
	}
	return used
}
