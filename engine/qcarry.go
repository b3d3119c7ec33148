package engine

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// carrying are operators whose result lies on the grid of their first operand,
// and which mean the same for codes and what they stand for.
var carrying = []string{"Flatten", "MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"}

// carryCodes decodes codes before operators that carry them on and encodes the
// results, which is what forms know.
func carryCodes(m *ir.Model) error {
	for _, n := range slices.Clone(m.Graph.Nodes) {
		if len(n.In) == 0 || n.In[0] == nil || len(n.Out) != 1 || ir.CanonicalDomain(n.Domain) != "" || !slices.Contains(carrying, n.Op) {
			continue
		}
		q := n.In[0].Producer()
		if !is(q, "QuantizeLinear") || len(q.In) != 3 || !oneGrid(q) {
			continue
		}
		p := ir.NewPatch(m.Graph, "carry codes")
		x := p.Node(n.Out[0].Name+"_before", "DequantizeLinear", []*ir.Value{n.In[0], q.In[1], q.In[2]})
		y := p.Node(n.Out[0].Name+"_real", n.Op, append([]*ir.Value{x}, n.In[1:]...), n.Attrs...)
		p.Replace(n.Out[0], p.Node(n.Out[0].Name+"_codes", "QuantizeLinear", []*ir.Value{y, q.In[1], q.In[2]}))
		p.RemoveNode(n)
		if err := p.Apply(); err != nil {
			return err
		}
	}
	return nil
}

// oneGrid reports whether a QuantizeLinear has a constant grid of 8 bits for the
// whole tensor.
func oneGrid(q *ir.Node) bool {
	scale, zero := q.In[1], q.In[2]
	return scale != nil && zero != nil && scale.Const != nil && zero.Const != nil && scale.Const.Len() == 1 && zero.Const.Len() == 1 &&
		scale.Const.Type == tensor.Float32 && (zero.Const.Type == tensor.Uint8 || zero.Const.Type == tensor.Int8)
}
