package decompose

import (
	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// slot is where the bias of a layer stands: an operand of its node, or of the
// Add behind a product.
type slot struct {
	node    *ir.Node
	operand int
	value   *ir.Value // nil for none yet
}

// biasOf finds the place for a bias; nil where there is none or it is computed.
func biasOf(l *compress.Layer) *slot {
	n, at := l.Node, 2
	if n.Op == "MatMul" {
		uses := n.Out[0].Uses()
		if len(uses) != 1 || uses[0].In < 0 || uses[0].Node.Op != "Add" {
			return nil
		}
		n, at = uses[0].Node, 1-uses[0].In
		if n.In[at].Const == nil {
			return nil
		}
	}
	s := &slot{node: n, operand: at}
	if len(n.In) > at && n.In[at] != nil {
		s.value = n.In[at]
	}
	if v := s.value; v != nil && (v.Const == nil || !v.Const.Type.IsFloat() || v.Const.Rank() != 1 || v.Const.Len() != l.Weight.Const.Shape[l.Out]) {
		return nil
	}
	return s
}

// correct moves the bias of a layer by what the chain leaves out on average.
func (s *site) correct(p *ir.Patch, g *ir.Graph, missing []float64) error {
	at := biasOf(s.layer)
	name := s.layer.Name + "_bias"
	if v := at.value; v != nil {
		name = v.Name
		for o, x := range tensor.Float64s(v.Const) {
			missing[o] += x
		}
		if len(v.Uses()) == 1 {
			drop(p, g, v)
		}
	}
	b, err := tensor.FromFloat64s(s.layer.Weight.Const.Type, []int{len(missing)}, missing)
	if err == nil {
		p.SetInput(at.node, at.operand, p.Const(name, b))
	}
	return err
}
