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

// lowering turns a graph of known shapes into steps.
type lowering struct {
	p      *Program
	m      *ir.Model
	interp *op.Interp
	ctx    context.Context
	slots  map[*ir.Value]*slot
	turned map[*slot]*slot // the same value in the other layout
	needed map[*ir.Value]bool
	steps  []*step
}

// specialise makes the plan for the shapes of the inputs.
func (p *Program) specialise(ctx context.Context, in []*tensor.Tensor) (*plan, error) {
	m := ir.CloneModel(p.base)
	for i, name := range p.inputs {
		v := m.Graph.Value(name)
		t, err := ir.Merge(v.Type, ir.TypeOf(in[i]))
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", name, err)
		}
		v.Type = t
	}
	for _, v := range m.Graph.Outputs {
		v.Type = ir.Type{}
	}
	if _, err := op.InferWith(m, op.InferOptions{Redo: true}); err != nil {
		return nil, err
	}
	if _, err := pass.SimplifyWith(ctx, m, pass.Options{Growth: 4 << 20}); err != nil {
		return nil, err
	}
	if err := absorbPads(m); err != nil {
		return nil, err
	}
	if _, err := op.InferWith(m, op.InferOptions{Redo: true}); err != nil {
		return nil, err
	}
	recognise(m)
	l := &lowering{p: p, m: m, ctx: ctx, interp: &op.Interp{Model: m}, slots: map[*ir.Value]*slot{}, turned: map[*slot]*slot{}, needed: needs(m.Graph)}
	l.sources()
	for _, n := range m.Graph.Nodes {
		if err := l.node(n); err != nil {
			return nil, fault.AtNode(n, err)
		}
	}
	return l.plan()
}

// sources makes the slots of inputs, parameters and constants.
func (l *lowering) sources() {
	g := l.m.Graph
	for _, v := range g.Inputs {
		shape, _ := v.Type.Sizes()
		s := l.newSlot(v.Name, shape, plain)
		s.dtype, s.value = v.Type.DType, v
		l.slots[v] = s
	}
	for _, q := range l.p.params {
		s := l.slots[g.Value(q.Value.Name)]
		s.param, s.wants = q, l.needed[s.value]
	}
	for name, q := range l.p.stats {
		l.slots[g.Value(name)].param = q
	}
	for _, i := range l.p.wanted {
		s := l.slots[g.Value(l.p.inputs[i])]
		s.wants = l.needed[s.value]
	}
	for _, v := range g.Consts {
		l.fix(v, v.Const)
	}
}

// fix makes the slot of a value that is known before running.
func (l *lowering) fix(v *ir.Value, t *tensor.Tensor) {
	s := l.newSlot(v.Name, t.Shape, plain)
	s.dtype, s.value, s.fixed = t.Type, v, t
	s.other = t
	if s.isFloat() {
		s.data = tensor.Float32s(t)
	}
	l.slots[v] = s
}

// node lowers one node by its rule, else to the reference evaluation. What depends
// on constants only is computed now.
func (l *lowering) node(n *ir.Node) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case refusal:
			err = r.error
		default:
			panic(r)
		}
	}()
	b := &builder{l, n}
	if done, err := b.fold(); done || err != nil {
		return err
	}
	if r := ruleOf[[2]string{n.Domain, n.Op}]; r != nil && b.floats() {
		return r.lower(b)
	}
	return lowerReference(b)
}

// floats reports whether a result has floats; integers are left to the reference.
func (b *builder) floats() bool {
	return slices.ContainsFunc(b.node.Out, func(v *ir.Value) bool { return v != nil && v.Type.DType.IsFloat() })
}

// fold computes a node of known operands.
func (b *builder) fold() (bool, error) {
	in := make([]op.Val, len(b.node.In))
	for i, v := range b.node.In {
		if v == nil {
			continue
		}
		if b.slots[v].fixed == nil {
			return false, nil
		}
		in[i] = b.slots[v].fixed
	}
	d := op.Find(b.node.Domain, b.node.Op)
	if d == nil || d.Random || len(b.node.Subgraphs()) > 0 {
		return false, nil
	}
	out, err := b.interp.Node(b.ctx, b.node, in, nil)
	if err != nil {
		return false, err
	}
	for i, v := range b.node.Out {
		if t, ok := out[i].(*tensor.Tensor); ok && v != nil {
			b.fix(v, t)
		}
	}
	return true, nil
}
