package op

import (
	"errors"
	"fmt"
	"slices"

	"pare/ir"
)

// maxInlined bounds the number of nodes that expanding functions may lead to:
// functions that call functions can describe exponentially many.
const maxInlined = 1 << 20

// Inline replaces every call of a model-local function by the function's body
// and drops the functions. Where function and model speak different versions of
// the standard operator set, both are raised to the newest. On error the model
// is left in an unspecified state.
func Inline(m *ir.Model) error { return inline(m, maxInlined) }

func inline(m *ir.Model, budget int) error {
	if len(m.Functions) == 0 {
		return nil
	}
	if err := agree(m); err != nil {
		return err
	}
	in := &inliner{m: m, names: map[string]bool{}, next: map[string]int{}, budget: budget}
	in.collect(m.Graph)
	if err := in.graph(m.Graph, 0); err != nil {
		return err
	}
	m.Functions = nil
	m.Graph.Bind()
	return ir.Check(m.Graph)
}

// agree brings model and functions to one version of every operator set.
func agree(m *ir.Model) error {
	newest := m.Opset("")
	for _, f := range m.Functions {
		newest = max(newest, ir.FindOpset(f.Opsets, ""))
	}
	if newest > 0 {
		if err := raise(m, newest); err != nil {
			return err
		}
	}
	for _, f := range m.Functions {
		for _, o := range f.Opsets {
			switch have := m.Opset(o.Domain); have {
			case o.Version:
			case 0:
				m.SetOpset(o.Domain, o.Version)
			default:
				return fmt.Errorf("function %s speaks version %d of operator set %q, the model version %d", f.Name, o.Version, o.Domain, have)
			}
		}
	}
	return nil
}

// inliner expands calls and keeps names apart.
type inliner struct {
	m      *ir.Model
	names  map[string]bool
	next   map[string]int // number to try next behind a name
	budget int
}

func (in *inliner) collect(g *ir.Graph) {
	for v := range g.Values {
		in.names[v.Name] = true
	}
	for _, n := range g.Nodes {
		in.names[n.Name] = true
		for _, s := range n.Subgraphs() {
			in.collect(s)
		}
	}
}

// unique returns base or, where it is taken, base with a number.
func (in *inliner) unique(base string) string {
	name := base
	for in.names[name] {
		in.next[base]++
		name = fmt.Sprintf("%s_%d", base, in.next[base])
	}
	in.names[name] = true
	return name
}

// graph expands the calls in g and its sub-graphs, those in what it expands
// included.
func (in *inliner) graph(g *ir.Graph, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("sub-graphs and functions are nested more than %d deep; does a function call itself?", maxDepth)
	}
	if in.budget -= len(g.Nodes); in.budget < 0 {
		return errors.New("functions expand to too many nodes")
	}
	var nodes []*ir.Node
	for _, n := range g.Nodes {
		for _, s := range n.Subgraphs() {
			if err := in.graph(s, depth+1); err != nil {
				return err
			}
		}
		f := in.m.Function(n)
		if f == nil {
			nodes = append(nodes, n)
			continue
		}
		body, err := in.call(f, n)
		if err == nil {
			err = in.graph(body, depth+1)
		}
		if err != nil {
			return fmt.Errorf("%v: %w", n, err)
		}
		nodes = append(nodes, body.Nodes...)
		g.Consts = append(slices.Clip(g.Consts), body.Consts...)
	}
	g.Nodes = nodes
	return nil
}

// call returns a copy of the function's body that reads the operands of n and
// produces its results.
func (in *inliner) call(f *ir.Function, n *ir.Node) (*ir.Graph, error) {
	body, err := instantiate(f, n)
	if err != nil {
		return nil, err
	}
	if len(n.In) > len(body.Inputs) || len(n.Out) > len(body.Outputs) {
		return nil, fmt.Errorf("%d operands and %d results; the function has %d and %d",
			len(n.In), len(n.Out), len(body.Inputs), len(body.Outputs))
	}
	body = ir.CloneGraph(body)
	to := map[*ir.Value]*ir.Value{}
	for i, v := range body.Inputs {
		to[v] = nil
		if i < len(n.In) {
			to[v] = n.In[i]
		}
	}
	var copies []*ir.Node
	for i, v := range body.Outputs {
		if i >= len(n.Out) || n.Out[i] == nil {
			continue
		}
		if _, taken := to[v]; taken || v.Producer() == nil {
			copies = append(copies, &ir.Node{Op: "Identity", In: []*ir.Value{v}, Out: []*ir.Value{n.Out[i]}})
			continue
		}
		to[v] = n.Out[i]
	}
	stem := n.Name
	if stem == "" {
		stem = n.Op
	}
	in.rename(body, stem, to)
	body.Nodes = append(body.Nodes, copies...)
	return body, rewire(body, to)
}

// rename gives what is new in the model names of its own.
func (in *inliner) rename(g *ir.Graph, stem string, to map[*ir.Value]*ir.Value) {
	for v := range g.Values {
		if _, ok := to[v]; !ok {
			v.Name = in.unique(stem + "/" + v.Name)
		}
	}
	for _, n := range g.Nodes {
		if n.Name != "" {
			n.Name = in.unique(stem + "/" + n.Name)
		}
		for _, s := range n.Subgraphs() {
			in.rename(s, stem, to)
		}
	}
}

// rewire puts the values of the call in the place of the function's own.
func rewire(g *ir.Graph, to map[*ir.Value]*ir.Value) error {
	swap := func(list []*ir.Value) {
		for i, v := range list {
			if w, ok := to[v]; ok {
				list[i] = w
			}
		}
	}
	for _, n := range g.Nodes {
		swap(n.In)
		swap(n.Out)
		for _, s := range n.Subgraphs() {
			if err := rewire(s, to); err != nil {
				return err
			}
			swap(s.Outputs)
			if slices.Contains(s.Outputs, nil) {
				return fmt.Errorf("%v: a sub-graph returns an operand that is left out", n)
			}
		}
	}
	return nil
}
