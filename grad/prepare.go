package grad

import (
	"context"
	"fmt"
	"slices"

	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/pass"
	"pare/tensor"
)

// rowsOpset is the version of the standard operator set that rules are written for.
const rowsOpset = 18

// prepare copies the model into p.base: newest schemas, no functions, parameters as
// inputs so that nothing folds them, Options.Outputs as outputs.
func (p *Program) prepare(m *ir.Model) error {
	c := ir.CloneModel(m)
	_ = op.RaiseTo(c, rowsOpset) // what cannot be raised has no rule either
	straightenPowers(c.Graph)
	if err := op.Inline(c); err != nil {
		return err
	}
	inlineComposites(c)
	g := c.Graph
	g.Inputs = slices.DeleteFunc(slices.Clone(g.Inputs), func(v *ir.Value) bool { return v.Const != nil })
	for _, v := range g.Inputs {
		p.inputs = append(p.inputs, v.Name)
	}
	if err := p.chooseOutputs(g); err != nil {
		return err
	}
	for _, v := range p.options.Inputs {
		i := slices.Index(p.inputs, v.Name)
		if i < 0 {
			return fmt.Errorf("%q is no data input of the network", v.Name)
		}
		p.wanted = append(p.wanted, i)
	}
	for _, v := range p.options.Params {
		q, err := free(g, v.Name)
		if err != nil {
			return err
		}
		q.Value, q.Grad = v, make([]float32, len(q.Data))
		p.params = append(p.params, q)
	}
	if err := p.freeStats(m, g); err != nil {
		return err
	}
	if _, err := pass.Simplify(context.Background(), c); err != nil {
		return err
	}
	straighten(g)
	straightenQuants(g)
	p.base = c
	return p.check(g)
}

// chooseOutputs makes Options.Outputs the outputs of the copy.
func (p *Program) chooseOutputs(g *ir.Graph) error {
	if p.options.Outputs == nil {
		return nil
	}
	g.Outputs = nil
	for _, v := range p.options.Outputs {
		w := g.Value(v.Name)
		if w == nil {
			return fmt.Errorf("the network has no value %q", v.Name)
		}
		g.Outputs = append(g.Outputs, w)
	}
	g.Bind()
	return nil
}

// free turns a constant of the graph into an input of it.
func free(g *ir.Graph, name string) (*Param, error) {
	v := g.Value(name)
	if v == nil || v.Const == nil || !v.Const.Type.IsFloat() {
		return nil, fmt.Errorf("%q is no constant of floats of the network's graph", name)
	}
	q := &Param{Value: v, Shape: slices.Clone(v.Const.Shape), Data: slices.Clone(tensor.Float32s(v.Const))}
	v.Type = ir.TypeOf(v.Const)
	v.Const = nil
	g.Consts = slices.DeleteFunc(slices.Clone(g.Consts), func(c *ir.Value) bool { return c == v })
	g.Inputs = append(g.Inputs, v)
	return q, nil
}

// freeStats does so with the running statistics of batch-norms that are trained.
func (p *Program) freeStats(m *ir.Model, g *ir.Graph) error {
	if !p.options.Train {
		return nil
	}
	for _, n := range g.Nodes {
		if n.Op != "BatchNormalization" || n.Domain != "" {
			continue
		}
		for _, v := range n.In[3:] {
			if v.Const == nil || p.stats[v.Name] != nil || m.Graph.Value(v.Name) == nil {
				continue
			}
			q, err := free(g, v.Name)
			if err != nil {
				return err
			}
			q.Value = m.Graph.Value(v.Name)
			p.stats[v.Name] = q
		}
	}
	return nil
}

// check reports the nodes that gradients would have to pass but cannot.
func (p *Program) check(g *ir.Graph) error {
	flows, needed := p.flows(g), needs(g)
	for _, n := range g.Nodes {
		if ruleOf[[2]string{n.Domain, n.Op}] != nil || !slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return v != nil && needed[v] && flows[v] }) {
			continue
		}
		return fault.AtNode(n, fmt.Errorf("no gradient passes this operator"))
	}
	return nil
}

// flows marks the values that depend on what is differentiated by.
func (p *Program) flows(g *ir.Graph) map[*ir.Value]bool {
	f := map[*ir.Value]bool{}
	for _, q := range p.params {
		f[g.Value(q.Value.Name)] = true
	}
	for _, i := range p.wanted {
		f[g.Value(p.inputs[i])] = true
	}
	for _, n := range g.Nodes {
		if slices.ContainsFunc(operands(n), func(v *ir.Value) bool { return v != nil && f[v] }) {
			for _, v := range n.Out {
				if v != nil && mayBeFloat(v) {
					f[v] = true
				}
			}
		}
	}
	return f
}

// needs marks the values of floats that results depend on through floats.
func needs(g *ir.Graph) map[*ir.Value]bool {
	need := map[*ir.Value]bool{}
	for _, v := range g.Outputs {
		need[v] = mayBeFloat(v)
	}
	for _, n := range slices.Backward(g.Nodes) {
		if slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return v != nil && need[v] }) {
			for _, v := range operands(n) {
				if v != nil && mayBeFloat(v) {
					need[v] = true
				}
			}
		}
	}
	return need
}

// operands lists what a node reads, captures of its sub-graphs included.
func operands(n *ir.Node) []*ir.Value {
	list := n.In
	for _, s := range n.Subgraphs() {
		list = append(slices.Clip(list), s.Captures()...)
	}
	return list
}

func mayBeFloat(v *ir.Value) bool {
	return v.Type.DType == tensor.Undefined || v.Type.DType.IsFloat()
}
