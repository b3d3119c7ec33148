package pass

import (
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// constantNodes turns Constant nodes into constants of the graph, which share
// the data of the attribute.
func constantNodes(w *work) (int, error) {
	p := ir.NewPatch(w.g, "make a constant of a Constant node")
	interp := &op.Interp{Model: w.m}
	count := 0
	for _, n := range w.g.Nodes {
		if !w.standard(n, "Constant") || len(n.Out) != 1 || w.g.IsOutput(n.Out[0]) {
			continue
		}
		out, err := interp.Node(w.ctx, n, nil, nil)
		if err != nil {
			return count, err
		}
		c := w.replaceByConst(p, n, n.Out[0], out[0].(*tensor.Tensor))
		for _, a := range n.Attrs {
			if s, ok := a.Value.(*tensor.Sparse); ok {
				c.Sparse = s
			}
		}
		p.RemoveNode(n)
		count++
	}
	return count, w.apply(p)
}

// unlist takes constants from the inputs of a graph from before version 4 of the
// format, where they had to stand although no caller could set them.
func unlist(w *work) (int, error) {
	p := ir.NewPatch(w.g, "take constants from the inputs")
	count := 0
	for _, v := range w.g.Inputs {
		if w.constant(v) {
			p.RemoveInput(v)
			count++
		}
	}
	return count, w.apply(p)
}

// replaceByConst makes readers of result v of n read a constant. Where n has no other
// result, and so can be removed in the same patch, the constant has v's name.
func (w *work) replaceByConst(p *ir.Patch, n *ir.Node, v *ir.Value, t *tensor.Tensor) *ir.Value {
	name := v.Name
	if len(n.Out) > 1 {
		name = p.Unique(v.Name)
	}
	c := ir.NewConst(name, t)
	c.Doc = v.Doc
	p.AddConst(c)
	p.Replace(v, c)
	return c
}
