package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// RaiseTo rewrites the model, its sub-graphs and functions from the standard
// operator set they import to version target, operator by operator. On error
// the model is as it was and the error names the node that prevents it. A model
// that is newer already is left alone.
func RaiseTo(m *ir.Model, target int) error {
	if m.Opset("") >= target {
		return nil
	}
	// A trial on a copy makes the real run certain to succeed.
	if err := raise(ir.CloneModel(m), target); err != nil {
		return fmt.Errorf("raising the operator set from version %d to %d: %w", m.Opset(""), target, err)
	}
	return raise(m, target)
}

func raise(m *ir.Model, target int) error {
	if from := m.Opset(""); from > 0 {
		if err := raiseGraph(m, m.Graph, m.Graph, from, target); err != nil {
			return err
		}
		m.SetOpset("", target)
	}
	for _, f := range m.Functions {
		from := ir.FindOpset(f.Opsets, "")
		if from == 0 || from >= target {
			continue
		}
		if err := raiseGraph(m, f.Body, f.Body, from, target); err != nil {
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
		for i := range f.Opsets {
			if ir.CanonicalDomain(f.Opsets[i].Domain) == "" {
				f.Opsets[i].Version = target
			}
		}
	}
	return nil
}

// raiseGraph goes up one version at a time, so that a rewrite always sees and
// makes nodes of the version before and at its own.
func raiseGraph(m *ir.Model, root, g *ir.Graph, from, target int) error {
	for v := from + 1; v <= target; v++ {
		for _, n := range slices.Clone(g.Nodes) {
			if err := raiseNode(m, root, g, n, v); err != nil {
				return err
			}
		}
	}
	// Sub-graphs go through all versions on their own: nothing of a node's
	// schema depends on what is inside.
	for _, n := range g.Nodes {
		for _, s := range n.Subgraphs() {
			if err := raiseGraph(m, root, s, from, target); err != nil {
				return err
			}
		}
	}
	return nil
}

func raiseNode(m *ir.Model, root, g *ir.Graph, n *ir.Node, to int) error {
	if ir.CanonicalDomain(n.Domain) != "" || m.Function(n) != nil {
		return nil
	}
	d := Find("", n.Op)
	if d == nil {
		return fmt.Errorf("%v: pare does not know this operator, so it cannot tell what version %d changes", n, to)
	}
	rewrite := d.Raise[to]
	if rewrite == nil && to == 6 && n.Has("consumed_inputs") {
		rewrite = dropConsumed // every operator of version 1 could have it
	}
	if rewrite == nil {
		return nil
	}
	if nodeHasRefs(n) {
		return fmt.Errorf("%v: an attribute refers to the function's; version %d of the operator needs its value", n, to)
	}
	p := ir.NewPatch(g, fmt.Sprintf("raise %v to version %d", n, to))
	if g != root {
		p.Within(root)
	}
	if err := rewrite(&Raising{Node: n, Patch: p, To: to}); err != nil {
		return fmt.Errorf("%v cannot be raised to version %d: %w", n, to, err)
	}
	if p.Empty() {
		return nil
	}
	return p.Apply()
}

// AttrToInput moves an integer-list attribute to operand i (a constant); an
// absent attribute is left absent.
func (r *Raising) AttrToInput(name string, i int) error {
	list, ok := r.Node.Attr(name).([]int64)
	if !ok {
		return nil
	}
	r.ConstInput(i, name, tensor.Of([]int{len(list)}, slices.Clone(list)))
	r.Patch.SetAttrs(r.Node, ir.WithoutAttr(r.Node.Attrs, name))
	return nil
}

// ConstInput makes operand i a new constant whose name derives from the node's
// first result and what.
func (r *Raising) ConstInput(i int, what string, t *tensor.Tensor) {
	r.Patch.SetInput(r.Node, i, r.Patch.Const(r.base()+"_"+what, t))
}

// DropAttrs removes attributes that the new schema no longer has.
func (r *Raising) DropAttrs(names ...string) {
	attrs := r.Node.Attrs
	for _, name := range names {
		attrs = ir.WithoutAttr(attrs, name)
	}
	if len(attrs) != len(r.Node.Attrs) {
		r.Patch.SetAttrs(r.Node, attrs)
	}
}

// Rank is the rank of operand i; an error when it is not known (run Infer
// before raising to know more).
func (r *Raising) Rank(i int) (int, error) {
	if i < len(r.Node.In) && r.Node.In[i] != nil {
		v := r.Node.In[i]
		if v.Const != nil {
			return v.Const.Rank(), nil
		}
		if v.Type.Ranked {
			return len(v.Type.Shape), nil
		}
	}
	return 0, fmt.Errorf("the rank of operand %d is not known", i)
}

// base is the stem for names of new values.
func (r *Raising) base() string {
	for _, v := range r.Node.Out {
		if v != nil {
			return v.Name
		}
	}
	return r.Node.Op
}
