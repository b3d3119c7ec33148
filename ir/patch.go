package ir

import (
	"fmt"
	"slices"

	"pare/tensor"
)

// Patch is a set of edits of one graph that apply together or not at all. The
// zero value is not usable; call NewPatch.
type Patch struct {
	why   string
	g     *Graph
	steps []step
	names map[string]bool
	outer map[*Value]bool // what g captured when the patch began
}

// step applies one edit and returns how to undo it.
type step func(g *Graph) (undo func(), err error)

// NewPatch starts a patch of g; why is shown in errors and traces.
// Where g is a sub-graph, call Within as well.
func NewPatch(g *Graph, why string) *Patch { return &Patch{g: g, why: why} }

// Within says that the patched graph is a sub-graph of root: new names avoid
// those of root, and the values that the sub-graph captures may still be read.
func (p *Patch) Within(root *Graph) *Patch {
	p.names = map[string]bool{}
	collectNames(root, p.names)
	p.outer = map[*Value]bool{}
	for _, v := range p.g.Captures() {
		p.outer[v] = true
	}
	return p
}

// Empty reports whether the patch edits nothing.
func (p *Patch) Empty() bool { return len(p.steps) == 0 }

func (p *Patch) add(s step) { p.steps = append(p.steps, s) }

// Unique returns base, or base with a number behind it, so that no value or
// node of the graph, its sub-graphs or the patch has the name yet.
func (p *Patch) Unique(base string) string {
	if p.names == nil {
		p.names = map[string]bool{}
		collectNames(p.g, p.names)
	}
	name := base
	for i := 1; p.names[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	p.names[name] = true
	return name
}

func collectNames(g *Graph, into map[string]bool) {
	for v := range g.Values {
		into[v.Name] = true
	}
	for _, n := range g.Nodes {
		into[n.Name] = true
		for _, s := range n.Subgraphs() {
			collectNames(s, into)
		}
	}
}

// Const adds a constant with a name derived from base and returns its value.
func (p *Patch) Const(base string, t *tensor.Tensor) *Value {
	v := NewConst(p.Unique(base), t)
	p.AddConst(v)
	return v
}

// AddConst attaches a constant to the graph.
func (p *Patch) AddConst(v *Value) {
	p.add(func(g *Graph) (func(), error) {
		old := g.Consts
		g.Consts = append(slices.Clip(slices.Clone(old)), v)
		return func() { g.Consts = old }, nil
	})
}

// SetConst replaces the data of a constant, its type with it.
func (p *Patch) SetConst(v *Value, t *tensor.Tensor) {
	p.add(func(*Graph) (func(), error) {
		old := *v
		if old.Const == nil {
			return nil, fmt.Errorf("%q is not a constant", v.Name)
		}
		v.Const, v.Sparse, v.Type = t, nil, TypeOf(t)
		return func() { v.Const, v.Sparse, v.Type = old.Const, old.Sparse, old.Type }, nil
	})
}

// SetStats replaces the statistics kept on v.
func (p *Patch) SetStats(v *Value, s *Stats) {
	p.add(func(*Graph) (func(), error) {
		old := v.Stats
		v.Stats = s
		return func() { v.Stats = old }, nil
	})
}

// SetType replaces the type of v.
func (p *Patch) SetType(v *Value, t Type) {
	p.add(func(*Graph) (func(), error) {
		old := v.Type
		v.Type = t
		return func() { v.Type = old }, nil
	})
}

// Node adds a node of the standard domain with one result, whose name (and the
// node's) derive from base, and returns the result. The place in the graph
// follows from the operands.
func (p *Patch) Node(base, op string, in []*Value, attrs ...Attr) *Value {
	out := &Value{Name: p.Unique(base)}
	p.AddNode(&Node{Name: out.Name, Op: op, In: in, Out: []*Value{out}, Attrs: attrs})
	return out
}

// AddNode adds a node; its place in the graph follows from its operands.
func (p *Patch) AddNode(n *Node) {
	p.add(func(g *Graph) (func(), error) {
		old := g.Nodes
		for _, v := range n.Out {
			if v != nil {
				v.producer = n
			}
		}
		n.addUses()
		g.Nodes = append(slices.Clip(slices.Clone(old)), n)
		return func() {
			n.dropUses()
			for _, v := range n.Out {
				if v != nil {
					v.producer = nil
				}
			}
			g.Nodes = old
		}, nil
	})
}

// RemoveNode deletes a node. Its results must be unused when the patch ends.
func (p *Patch) RemoveNode(n *Node) {
	p.add(func(g *Graph) (func(), error) {
		i := slices.Index(g.Nodes, n)
		if i < 0 {
			return nil, fmt.Errorf("%v is not in the graph", n)
		}
		old := g.Nodes
		g.Nodes = slices.Delete(slices.Clone(old), i, i+1)
		n.dropUses()
		return func() { g.Nodes = old; n.addUses() }, nil
	})
}

// RemoveConst deletes a constant, which must be unused when the patch ends.
func (p *Patch) RemoveConst(v *Value) {
	p.add(func(g *Graph) (func(), error) {
		i := slices.Index(g.Consts, v)
		if i < 0 {
			return nil, fmt.Errorf("constant %q is not in the graph", v.Name)
		}
		old := g.Consts
		g.Consts = slices.Delete(slices.Clone(old), i, i+1)
		return func() { g.Consts = old }, nil
	})
}

// RemoveInput deletes a graph input, which must be unused when the patch ends.
func (p *Patch) RemoveInput(v *Value) {
	p.add(func(g *Graph) (func(), error) {
		i := slices.Index(g.Inputs, v)
		if i < 0 {
			return nil, fmt.Errorf("%q is not an input of the graph", v.Name)
		}
		old := g.Inputs
		g.Inputs = slices.Delete(slices.Clone(old), i, i+1)
		return func() { g.Inputs = old }, nil
	})
}

// SetInput makes operand i of n read v (nil leaves an optional operand out);
// operands are added as needed.
func (p *Patch) SetInput(n *Node, i int, v *Value) {
	p.add(func(*Graph) (func(), error) {
		old := n.In
		n.dropUses()
		in := slices.Clone(old)
		for len(in) <= i {
			in = append(in, nil)
		}
		in[i] = v
		for len(in) > 0 && in[len(in)-1] == nil {
			in = in[:len(in)-1]
		}
		n.In = in
		n.addUses()
		return func() { n.dropUses(); n.In = old; n.addUses() }, nil
	})
}

// SetAttrs replaces the attributes of n.
func (p *Patch) SetAttrs(n *Node, attrs []Attr) {
	p.add(func(*Graph) (func(), error) {
		old := n.Attrs
		n.dropUses()
		n.Attrs = attrs
		n.addUses()
		return func() { n.dropUses(); n.Attrs = old; n.addUses() }, nil
	})
}

// SetOp changes what n computes, keeping operands, results and attributes.
func (p *Patch) SetOp(n *Node, op string) {
	p.add(func(*Graph) (func(), error) {
		old := n.Op
		n.Op = op
		return func() { n.Op = old }, nil
	})
}

// Replace makes every reader of old read by instead, sub-graphs included, except
// the node that produces by (which may be a wrapper around old). Where
// old is a graph output, the outputs keep their names: by takes old's name and
// old another one. That is refused where by is itself an output or an input.
func (p *Patch) Replace(old, by *Value) {
	p.add(func(g *Graph) (func(), error) { return replace(g, old, by) })
}

func replace(g *Graph, old, by *Value) (func(), error) {
	isOut := g.IsOutput(old)
	if isOut && (g.IsOutput(by) || slices.Contains(g.Inputs, by) || by.Const != nil) {
		return nil, fmt.Errorf("output %q cannot take the place of %q", old.Name, by.Name)
	}
	var undo []func()
	for _, n := range g.Nodes {
		if slices.ContainsFunc(old.uses, func(u Use) bool { return u.Node == n }) && n != by.producer {
			undo = append(undo, rewire(n, old, by))
		}
	}
	if isOut {
		outs := g.Outputs
		g.Outputs = swap(outs, old, by)
		oldName, byName, byType, byDecl := old.Name, by.Name, by.Type, by.Declared
		old.Name, by.Name, by.Declared = byName, oldName, old.Declared
		if t, err := Merge(old.Type, by.Type); err == nil {
			by.Type = t
		}
		undo = append(undo, func() {
			g.Outputs = outs
			old.Name, by.Name, by.Type, by.Declared = oldName, byName, byType, byDecl
		})
	}
	return func() {
		for _, f := range slices.Backward(undo) {
			f()
		}
	}, nil
}

// rewire makes n and its sub-graphs read by instead of old.
func rewire(n *Node, old, by *Value) (undo func()) {
	n.dropUses()
	restore := substitute(n, old, by)
	n.addUses()
	return func() { n.dropUses(); restore(); n.addUses() }
}

func substitute(n *Node, old, by *Value) (undo func()) {
	in := n.In
	n.In = swap(in, old, by)
	undos := []func(){func() { n.In = in }}
	for _, s := range n.Subgraphs() {
		for _, m := range s.Nodes {
			undos = append(undos, substitute(m, old, by))
		}
		outs := s.Outputs
		s.Outputs = swap(outs, old, by)
		undos = append(undos, func() { s.Outputs = outs })
	}
	return func() {
		for _, f := range slices.Backward(undos) {
			f()
		}
	}
}

// swap returns list with by wherever it had old.
func swap(list []*Value, old, by *Value) []*Value {
	out := slices.Clone(list)
	for i, v := range out {
		if v == old {
			out[i] = by
		}
	}
	return out
}

// Apply performs the edits in order, restores topological order and checks the
// graph. On any error the graph is as before and the error names the patch.
func (p *Patch) Apply() error {
	var undo []func()
	rollback := func() {
		for _, f := range slices.Backward(undo) {
			f()
		}
	}
	for _, s := range p.steps {
		u, err := s(p.g)
		if err != nil {
			rollback()
			return fmt.Errorf("%s: %w", p.why, err)
		}
		undo = append(undo, u)
	}
	old := p.g.Nodes
	undo = append(undo, func() { p.g.Nodes = old })
	if err := p.finish(); err != nil {
		rollback()
		return fmt.Errorf("%s: %w", p.why, err)
	}
	p.g.edits++
	return nil
}

func (p *Patch) finish() error {
	sorted, err := sortNodes(p.g)
	if err != nil {
		return err
	}
	p.g.Nodes = sorted
	return check(p.g, p.outer)
}

// sortNodes returns the nodes in topological order, each as early as its
// operands allow but otherwise in the order they stand in.
func sortNodes(g *Graph) ([]*Node, error) {
	const ( // of nodes of the graph; 0 for others
		waiting = iota + 1
		entered
		placed
	)
	state := make(map[*Node]int8, len(g.Nodes))
	for _, n := range g.Nodes {
		state[n] = waiting
	}
	out := make([]*Node, 0, len(g.Nodes))
	type frame struct {
		n    *Node
		deps []*Value
	}
	var stack []frame
	for _, root := range g.Nodes {
		if state[root] != waiting {
			continue
		}
		state[root] = entered
		stack = append(stack[:0], frame{root, operands(root)})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if len(top.deps) == 0 {
				state[top.n] = placed
				out = append(out, top.n)
				stack = stack[:len(stack)-1]
				continue
			}
			v := top.deps[0]
			top.deps = top.deps[1:]
			if v == nil || v.producer == nil {
				continue
			}
			switch state[v.producer] {
			case waiting:
				state[v.producer] = entered
				stack = append(stack, frame{v.producer, operands(v.producer)})
			case entered:
				return nil, fmt.Errorf("%v is part of a cycle", v.producer)
			}
		}
	}
	return out, nil
}

func operands(n *Node) []*Value {
	subs := n.Subgraphs()
	if len(subs) == 0 {
		return n.In
	}
	out := slices.Clone(n.In)
	for _, s := range subs {
		out = append(out, s.Captures()...)
	}
	return out
}

// Sort puts the nodes of a graph built by hand into topological order. It
// reports a cycle. Call Bind first.
func (g *Graph) Sort() error {
	nodes, err := sortNodes(g)
	if err == nil {
		g.Nodes = nodes
	}
	return err
}
