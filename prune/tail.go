package prune

import (
	"slices"

	"pare/ir"
)

// tail is the part of a network that some constants have an effect on, as a model of its
// own, whose inputs the rest computes.
type tail struct {
	m      *ir.Model
	fed    []*ir.Value // of the whole network: what the inputs are
	judged []*ir.Value // of m
	heads  []int       // places of judged among the judged values of the whole network
}

// tailOf cuts off the tail of constants of m.
func tailOf(m *ir.Model, constants []*ir.Value) *tail {
	reached := affected(m.Graph, constants)
	inside := map[*ir.Node]bool{}
	var include func(n *ir.Node)
	include = func(n *ir.Node) {
		if inside[n] {
			return
		}
		inside[n] = true
		for _, v := range reads(n) {
			// Sizes and other integers, and constants, are worked out before anything runs.
			if p := v.Producer(); p != nil && (reached[p] || !v.Type.DType.IsFloat() || len(reads(p)) == 0) {
				include(p)
			}
		}
	}
	t := &tail{m: ir.CloneModel(m)}
	for _, n := range m.Graph.Nodes {
		if reached[n] {
			include(n)
		}
	}
	g := t.m.Graph
	var nodes []*ir.Node
	var inputs []*ir.Value
	for i, n := range m.Graph.Nodes {
		if !inside[n] {
			continue
		}
		nodes = append(nodes, g.Nodes[i])
		for _, v := range reads(n) {
			if p := v.Producer(); v.Const == nil && (p == nil || !inside[p]) && v.Name != "" && m.Graph.Value(v.Name) == v && !slices.Contains(t.fed, v) {
				t.fed, inputs = append(t.fed, v), append(inputs, g.Value(v.Name))
			}
		}
	}
	for i, v := range judgedOf(m) {
		if p := v.Producer(); p != nil && reached[p] {
			t.heads, t.judged = append(t.heads, i), append(t.judged, g.Value(v.Name))
		}
	}
	g.Nodes, g.Inputs, g.Outputs = nodes, inputs, t.judged
	g.Bind()
	return t
}

// affected are the nodes whose results depend on constants.
func affected(g *ir.Graph, constants []*ir.Value) map[*ir.Node]bool {
	moved, out := map[*ir.Value]bool{}, map[*ir.Node]bool{}
	for _, v := range constants {
		moved[v] = true
	}
	for _, n := range g.Nodes {
		if !slices.ContainsFunc(reads(n), func(v *ir.Value) bool { return moved[v] }) {
			continue
		}
		out[n] = true
		for _, v := range n.Out {
			if v != nil {
				moved[v] = true
			}
		}
	}
	return out
}
