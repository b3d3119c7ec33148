package recon

import (
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// gridded is a value of a quantised graph that is taken to a grid and back.
type gridded struct {
	format.Activation
	source, decoded *ir.Value
	scale           *ir.Value // constant; pairs with one scale share it
}

// grids lists the pairs in a graph, in order.
func grids(m *ir.Model) (out []gridded) {
	for _, n := range m.Graph.Nodes {
		if len(n.Out) != 1 || n.Out[0] == nil {
			continue
		}
		a, source, ok := format.MatchActivation(n.Out[0])
		if !ok {
			a, source, ok = format.MatchPowerActivation(m, n.Out[0])
		}
		if ok && n.In[1].Const != nil {
			out = append(out, gridded{a, source, n.Out[0], n.In[1]})
		}
	}
	return out
}

// grid notes another scale of the grid.
func (c *change) grid(g gridded, scale float32) {
	code := g.decoded.Producer().In[0].Producer()
	set := func(v *ir.Value, x float32) { c.consts[v.Name] = tensor.Of(v.Const.Shape, []float32{x}) }
	a := g.Activation
	a.Scale = scale
	set(g.scale, scale)
	if a.Exponent != 0 {
		factor, offset := a.Line()
		set(code.In[1], factor)
		set(code.In[2], offset)
		return
	}
	if code.In[1] != g.scale {
		set(code.In[1], scale)
	}
	if clip := code.In[0].Producer(); code.In[0] != g.source && clip != nil {
		_, hi := a.Range()
		set(clip.In[2], hi)
	}
}
