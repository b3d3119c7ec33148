package train

import "pare/ir"

// separate gives every batch-norm numbers of its own where it shares them with other
// nodes, or with itself: statistics follow what one node sees, and what is learned
// must not move them.
func separate(m *ir.Model) error {
	p, left := ir.NewPatch(m.Graph, "separate batch-norms"), map[*ir.Value]int{}
	for _, n := range m.Graph.Nodes {
		if n.Op != "BatchNormalization" || ir.CanonicalDomain(n.Domain) != "" {
			continue
		}
		for i, v := range n.In {
			if i == 0 || v == nil || v.Const == nil {
				continue
			}
			if left[v] == 0 {
				left[v] = len(v.Uses())
			}
			if left[v] > 1 {
				left[v]-- // the last one keeps it
				p.SetInput(n, i, p.Const(v.Name, v.Const))
			}
		}
	}
	return p.Apply()
}
