package group

import (
	"fmt"

	"pare/ir"
)

// conv: filters are rows of what they compute and have columns for what they
// read; those of a depthwise convolution are parameters of channels that keep
// their number, rows and columns of channels that are rescaled.
func conv(w *walk, n *ir.Node) {
	c := weights(n, 3)
	if c == nil {
		w.stop(n, fmt.Sprintf("the weights of %v are computed", n))
		return
	}
	g := max(1, n.Int("group", 1))
	outs, r := c[0], c[1]
	if outs%g != 0 {
		w.stop(n, fmt.Sprintf("the groups of %v do not divide its channels", n))
		return
	}
	in := w.need(n, n.In[0], 1, r*g)
	switch {
	case g > 1 && r == 1 && !w.rescaling():
		w.depthwise(n, in, outs/g)
		return
	case g > 1 && !w.rescaling():
		w.groupedConv(n, in, g, r, outs)
		return
	}
	out := w.u.fresh(outs)
	w.link(n, 1, 0, Row, 1, out)
	if g > 1 {
		w.add(&Link{Node: n, Operand: 1, Axis: 1, Role: Column, Power: -1, Groups: g, Units: in})
	} else {
		w.link(n, 1, 1, Column, -1, in)
	}
	w.link(n, 2, 0, Row, 1, out)
	w.set(n.Out[0], 1, out)
}

// depthwise: each channel leads to m results, which stand and fall with it.
func (w *walk) depthwise(n *ir.Node, in []int, m int) {
	out := w.alike(n.In[0], 1, in)
	if m > 1 {
		out = out.repeated(1, m)
	}
	w.link(n, 1, 0, Parameter, 0, out.ids)
	w.link(n, 2, 0, Parameter, 1, out.ids)
	w.put(n.Out[0], out)
}

// groupedConv: the groups of a convolution shrink alike.
func (w *walk) groupedConv(n *ir.Node, in []int, g, r, outs int) {
	for k := 1; k < g; k++ {
		w.u.join(in[:r], in[k*r:][:r])
	}
	one, out := labels{ids: w.u.fresh(outs / g)}, labels{axes: []int{1}}
	for k := range g {
		out = out.joined(one, k)
	}
	w.link(n, 1, 0, Row, 1, out.ids)
	w.link(n, 1, 1, Column, -1, in[:r])
	w.link(n, 2, 0, Row, 1, out.ids)
	w.put(n.Out[0], out)
}

// convTranspose: as conv, with the first two axes of the weights exchanged.
func convTranspose(w *walk, n *ir.Node) {
	c := weights(n, 3)
	if c == nil || n.Int("group", 1) > 1 {
		w.stop(n, fmt.Sprintf("%v has computed weights or groups", n))
		return
	}
	in, out := w.need(n, n.In[0], 1, c[0]), w.u.fresh(c[1])
	w.link(n, 1, 1, Row, 1, out)
	w.link(n, 1, 0, Column, -1, in)
	w.link(n, 2, 0, Row, 1, out)
	w.set(n.Out[0], 1, out)
}

func gemm(w *walk, n *ir.Node) {
	c := weights(n, 2)
	if c == nil || n.Int("transA", 0) != 0 {
		w.stop(n, fmt.Sprintf("%v has computed or transposed operands", n))
		return
	}
	t := n.Int("transB", 0)
	in, out := w.need(n, n.In[0], 1, c[t]), w.u.fresh(c[1-t])
	w.link(n, 1, 1-t, Row, 1, out)
	w.link(n, 1, t, Column, -1, in)
	w.param(n, 2, 2, 1, 1, out)
	w.set(n.Out[0], 1, out)
}

// matMul: a product with a constant matrix is a layer, one of two computed values
// part of attention.
func matMul(w *walk, n *ir.Node) {
	c, rank := weights(n, 2), n.In[0].Type.Rank()
	if c == nil && len(n.In) == 2 && n.In[1] != nil && stored(n.In[1]) == nil && !w.rescaling() {
		attention(w, n)
		return
	}
	if len(c) != 2 || rank < 2 {
		w.stop(n, fmt.Sprintf("the second operand of %v is no constant matrix", n))
		return
	}
	in, out := w.need(n, n.In[0], rank-1, c[0]), w.u.fresh(c[1])
	w.link(n, 1, 1, Row, 1, out)
	w.link(n, 1, 0, Column, -1, in)
	w.set(n.Out[0], rank-1, out)
}

// weights is the shape of a constant second operand of at least the given rank,
// nil when there is none.
func weights(n *ir.Node, least int) []int {
	if len(n.In) < 2 || n.In[1] == nil {
		return nil
	}
	c := n.In[1].Const
	if c == nil {
		if dq, _ := decoding(n.In[1]); dq != nil {
			c = dq.In[0].Const
		}
	}
	if c == nil || c.Rank() < least {
		return nil
	}
	return c.Shape
}
