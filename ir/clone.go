package ir

import "slices"

// CloneModel returns a copy of m that shares nothing with it that edits change:
// graphs, nodes and values are new, constant data and opaque bytes are shared.
func CloneModel(m *Model) *Model {
	out := *m
	out.Graph = CloneGraph(m.Graph)
	out.Opsets = slices.Clone(m.Opsets)
	out.Metadata = slices.Clone(m.Metadata)
	out.Functions = make([]*Function, len(m.Functions))
	for i, f := range m.Functions {
		g := *f
		g.Body = CloneGraph(f.Body)
		g.Opsets = slices.Clone(f.Opsets)
		out.Functions[i] = &g
	}
	return &out
}

// CloneGraph returns a copy of g with its sub-graphs. Constant data are shared;
// values captured from outside g are shared, too, and their uses do not
// mention the copy.
func CloneGraph(g *Graph) *Graph {
	out := cloneGraph(g, map[*Value]*Value{})
	out.Bind()
	return out
}

func cloneGraph(g *Graph, to map[*Value]*Value) *Graph {
	out := *g
	for v := range g.Values {
		w := *v
		w.producer, w.uses = nil, nil
		to[v] = &w
	}
	out.Inputs = mapped(g.Inputs, to)
	out.Outputs = mapped(g.Outputs, to)
	out.Consts = mapped(g.Consts, to)
	out.Metadata = slices.Clone(g.Metadata)
	out.Nodes = make([]*Node, len(g.Nodes))
	for i, n := range g.Nodes {
		m := *n
		m.In, m.Out = mapped(n.In, to), mapped(n.Out, to)
		m.Attrs = slices.Clone(n.Attrs)
		for k, a := range m.Attrs {
			switch x := a.Value.(type) {
			case *Graph:
				m.Attrs[k].Value = cloneGraph(x, to)
			case []*Graph:
				list := make([]*Graph, len(x))
				for j, s := range x {
					list[j] = cloneGraph(s, to)
				}
				m.Attrs[k].Value = list
			}
		}
		out.Nodes[i] = &m
	}
	return &out
}

// mapped replaces what the map knows and keeps the rest.
func mapped(list []*Value, to map[*Value]*Value) []*Value {
	out := slices.Clone(list)
	for i, v := range out {
		if w := to[v]; w != nil {
			out[i] = w
		}
	}
	return out
}
