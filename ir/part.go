package ir

import (
	"fmt"
	"slices"
)

// Part returns the part of m's graph that computes outputs from inputs, as a model of
// its own, and which of its values stands for which of m's. What the outputs need
// besides, but not through inputs, follows inputs as further inputs where it is an
// input of m. Constant data are shared. Functions are m's. It reports an input that
// is one of several results of a node that the part needs as well.
func Part(m *Model, inputs, outputs []*Value) (*Model, map[*Value]*Value, error) {
	c := cut{stop: map[*Value]bool{}, nodes: map[*Node]bool{}, leaves: map[*Value]bool{}}
	for _, v := range inputs {
		c.stop[v] = true
	}
	for _, v := range outputs {
		c.need(v)
	}
	for _, v := range inputs {
		if n := v.Producer(); n != nil && c.nodes[n] {
			return nil, nil, fmt.Errorf("the part begins at %q, but needs other results of %v, too", v.Name, n)
		}
	}
	g := &Graph{Name: m.Graph.Name, Inputs: slices.Clone(inputs), Outputs: slices.Clone(outputs)}
	for _, v := range m.Graph.Inputs {
		if c.leaves[v] && v.Const == nil {
			g.Inputs = append(g.Inputs, v)
		}
	}
	for _, v := range m.Graph.Consts {
		if c.leaves[v] {
			g.Consts = append(g.Consts, v)
		}
	}
	for _, n := range m.Graph.Nodes {
		if c.nodes[n] {
			g.Nodes = append(g.Nodes, n)
		}
	}
	to := map[*Value]*Value{}
	out := *m
	out.Graph = cloneGraph(g, to)
	out.Graph.Bind()
	out.Opsets, out.Metadata, out.Functions = slices.Clone(m.Opsets), nil, slices.Clone(m.Functions)
	return &out, to, nil
}

// cut finds what some values need.
type cut struct {
	stop   map[*Value]bool // taken as given
	nodes  map[*Node]bool
	leaves map[*Value]bool // constants and inputs of the graph
}

func (c *cut) need(v *Value) {
	stack := []*Value{v}
	for len(stack) > 0 {
		v, stack = stack[len(stack)-1], stack[:len(stack)-1]
		switch n := v.Producer(); {
		case c.stop[v]:
		case n == nil:
			c.leaves[v] = true
		case !c.nodes[n]:
			c.nodes[n] = true
			for _, x := range operands(n) {
				if x != nil {
					stack = append(stack, x)
				}
			}
		}
	}
}
