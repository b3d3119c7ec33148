package recon

import (
	"pare/ir"
)

// site is a place behind a node of a graph, in its order, and the value that
// everything computed from layers passes there.
type site struct {
	behind int // index of the node
	value  *ir.Value
}

// cuts lists the values that every path from a layer to an output passes, in order:
// behind them nothing is read that layers before them computed, but through them.
// What the graph computes without its layers, such as masks, may be read anywhere.
func cuts(g *ir.Graph, isLayer func(n *ir.Node) bool) []site {
	deep, last := deepValues(g, isLayer), lastUses(g)
	live := map[*ir.Value]bool{}
	dying := map[int][]*ir.Value{}
	var out []site
	for i, n := range g.Nodes {
		for _, v := range n.Out {
			if v != nil && deep[v] && last[v] > i {
				live[v] = true
				dying[last[v]] = append(dying[last[v]], v)
			}
		}
		for _, v := range dying[i] {
			delete(live, v)
		}
		if len(live) != 1 {
			continue
		}
		for v := range live {
			if k := len(out); k == 0 || out[k-1].value != v {
				out = append(out, site{i, v})
			}
		}
	}
	return out
}

// deepValues are those that layers have a part in.
func deepValues(g *ir.Graph, isLayer func(n *ir.Node) bool) map[*ir.Value]bool {
	deep := map[*ir.Value]bool{}
	for _, n := range g.Nodes {
		below := isLayer(n)
		for _, v := range n.In {
			below = below || deep[v]
		}
		for _, s := range n.Subgraphs() {
			for _, v := range s.Captures() {
				below = below || deep[v]
			}
		}
		for _, v := range n.Out {
			if below && v != nil {
				deep[v] = true
			}
		}
	}
	return deep
}

// lastUses is the index of the last node that reads each value; that of outputs lies
// behind all nodes.
func lastUses(g *ir.Graph) map[*ir.Value]int {
	at := map[*ir.Node]int{}
	for i, n := range g.Nodes {
		at[n] = i
	}
	last := map[*ir.Value]int{}
	for v := range g.Values {
		for _, u := range v.Uses() {
			if i, ok := at[u.Node]; ok {
				last[v] = max(last[v], i)
			}
		}
	}
	for _, v := range g.Outputs {
		last[v] = len(g.Nodes)
	}
	return last
}
