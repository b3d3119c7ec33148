package op

import (
	"fmt"
	"slices"

	"pare/ir"
)

// call evaluates a model-local function.
func (s *scope) call(f *ir.Function, n *ir.Node, in []Val) ([]Val, error) {
	body := s.interp.bodies[n]
	if body == nil {
		var err error
		if body, err = instantiate(f, n); err != nil {
			return nil, fmt.Errorf("%v: %w", n, err)
		}
		if s.interp.bodies == nil {
			s.interp.bodies = map[*ir.Node]*ir.Graph{}
		}
		s.interp.bodies[n] = body
	}
	if len(in) > len(body.Inputs) || len(n.Out) > len(body.Outputs) {
		return nil, fmt.Errorf("%v: %d operands and %d results; the function has %d and %d",
			n, len(in), len(n.Out), len(body.Inputs), len(body.Outputs))
	}
	inner := &scope{interp: s.interp, ctx: s.ctx, opsets: functionOpsets(f, s.opsets), depth: s.depth + 1}
	out, err := inner.graph(body, in)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", n, err)
	}
	return out[:len(n.Out)], nil
}

// functionOpsets is what the function imports, and for domains it does not
// import what the caller does.
func functionOpsets(f *ir.Function, caller []ir.Opset) []ir.Opset {
	return append(slices.Clone(f.Opsets), caller...)
}

// instantiate returns the body of f with the attributes of the call n in place
// of references. The values are those of the body itself.
func instantiate(f *ir.Function, n *ir.Node) (*ir.Graph, error) {
	for _, name := range f.Attrs {
		if !n.Has(name) {
			return nil, fmt.Errorf("the function needs the attribute %q", name)
		}
	}
	if !hasRefs(f.Body) {
		return f.Body, nil
	}
	return substitute(f.Body, func(name string) any {
		if v := n.Attr(name); v != nil {
			return v
		}
		for _, d := range f.Defaults {
			if d.Name == name {
				return d.Value
			}
		}
		return nil
	}), nil
}

func hasRefs(g *ir.Graph) bool {
	return slices.ContainsFunc(g.Nodes, func(n *ir.Node) bool {
		return nodeHasRefs(n) || slices.ContainsFunc(n.Subgraphs(), hasRefs)
	})
}

func nodeHasRefs(n *ir.Node) bool {
	return slices.ContainsFunc(n.Attrs, func(a ir.Attr) bool { _, ok := a.Value.(ir.Ref); return ok })
}

// substitute copies g with every reference replaced; an attribute whose
// reference names nothing is left out. Values are shared with g.
func substitute(g *ir.Graph, value func(name string) any) *ir.Graph {
	out := *g
	out.Nodes = make([]*ir.Node, len(g.Nodes))
	for i, n := range g.Nodes {
		m := *n
		m.Attrs = nil
		for _, a := range n.Attrs {
			switch x := a.Value.(type) {
			case ir.Ref:
				a.Value = value(x.Name)
			case *ir.Graph:
				a.Value = substitute(x, value)
			case []*ir.Graph:
				list := make([]*ir.Graph, len(x))
				for k, s := range x {
					list[k] = substitute(s, value)
				}
				a.Value = list
			}
			if a.Value != nil {
				m.Attrs = append(m.Attrs, a)
			}
		}
		out.Nodes[i] = &m
	}
	return &out
}
