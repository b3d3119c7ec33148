package cost

import (
	"pare/ir"
	"pare/tensor"
)

// Stored adds up the constants of the model, its sub-graphs and functions: the
// elements of those of floating-point or code type, and the bytes of all.
func Stored(m *ir.Model) (params int, bytes int64) {
	add := func(t *tensor.Tensor) {
		bytes += int64(len(t.Bytes()))
		if t.Type.IsFloat() || t.Type.Bits() < 16 {
			params += t.Len()
		}
	}
	var walk func(g *ir.Graph)
	walk = func(g *ir.Graph) {
		for _, v := range g.Consts {
			add(v.Const)
		}
		for _, n := range g.Nodes {
			for _, sub := range n.Subgraphs() {
				walk(sub)
			}
			if t := n.Tensor("value"); t != nil {
				add(t)
			}
		}
	}
	walk(m.Graph)
	for _, f := range m.Functions {
		walk(f.Body)
	}
	return params, bytes
}
