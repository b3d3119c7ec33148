package onnx

import (
	"fmt"

	"pare/ir"
)

// graphProto is a GraphProto taken apart.
type graphProto struct {
	nodes, consts, sparse, inputs, outputs, infos [][]byte
}

// field reads a field of a GraphProto.
func (p *graphProto) field(g *ir.Graph, f field) error {
	switch f.num {
	case 1:
		return f.msgs(&p.nodes)
	case 2:
		return f.text(&g.Name)
	case roleConst:
		return f.msgs(&p.consts)
	case 10:
		return f.text(&g.Doc)
	case roleInput:
		return f.msgs(&p.inputs)
	case roleOutput:
		return f.msgs(&p.outputs)
	case roleInfo:
		return f.msgs(&p.infos)
	case roleSparse:
		return f.msgs(&p.sparse)
	case 16:
		return f.pair(&g.Metadata, &g.Extra)
	}
	return f.keep(&g.Extra)
}

// graph reads a GraphProto; outer is the scope around it, nil for the model's.
func (d *decoder) graph(b []byte, outer *scope) (*ir.Graph, error) {
	if err := d.deeper(); err != nil {
		return nil, err
	}
	defer d.back()
	g, p, s := &ir.Graph{}, &graphProto{}, newScope(outer)
	if err := fields(b, func(f field) error { return p.field(g, f) }); err != nil {
		return nil, err
	}
	// Values are defined before they are described or read.
	for _, step := range []func(*ir.Graph, *graphProto, *scope) error{
		d.inputs, d.constants, d.body, d.infos, d.outputs,
	} {
		if err := step(g, p, s); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (d *decoder) inputs(g *ir.Graph, p *graphProto, s *scope) error {
	for _, b := range p.inputs {
		info, err := d.valueInfo(b)
		if err != nil {
			return err
		}
		v, err := s.define(info.name)
		if err != nil {
			return fmt.Errorf("inputs of the graph: %w", err)
		}
		if err := info.describe(v, roleInput, true); err != nil {
			return err
		}
		g.Inputs = append(g.Inputs, v)
	}
	return nil
}

// constants reads the initialisers. One that is called as an input is the
// input's default.
func (d *decoder) constants(g *ir.Graph, p *graphProto, s *scope) error {
	for _, b := range p.consts {
		t, err := d.tensor(b)
		if err != nil {
			return err
		}
		v := &ir.Value{Const: t.t}
		if err := d.constant(g, v, roleConst, t.name, t.doc, t.rest, s); err != nil {
			return err
		}
	}
	for _, b := range p.sparse {
		t, err := d.sparse(b)
		if err != nil {
			return err
		}
		dense, err := d.expand(t.s)
		if err != nil {
			return fmt.Errorf("sparse tensor %q: %w", t.name, err)
		}
		v := &ir.Value{Const: dense, Sparse: t.s}
		if err := d.constant(g, v, roleSparse, t.name, t.doc, t.rest, s); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) body(g *ir.Graph, p *graphProto, s *scope) (err error) {
	g.Nodes, err = d.nodes(p.nodes, s)
	return err
}

func (d *decoder) infos(g *ir.Graph, p *graphProto, s *scope) error {
	return d.describeAll(p.infos, s, setOf(g.Inputs), func(b []byte) { embed(&g.Extra, roleInfo, b) })
}

// describeAll reads what is stated of values in between; those of others are
// described elsewhere first. What it says of values that do not exist is left.
func (d *decoder) describeAll(list [][]byte, s *scope, others map[*ir.Value]bool, left func([]byte)) error {
	for _, b := range list {
		info, err := d.valueInfo(b)
		if err != nil {
			return err
		}
		v := s.values[info.name]
		if v == nil || v.Declared {
			left(b)
			continue
		}
		v.Declared = true
		if err := info.describe(v, roleInfo, v.Const == nil && !others[v]); err != nil {
			return err
		}
	}
	return nil
}

// outputs reads the outputs. What is left of the description of one that is
// a value of a graph around this one is kept with this graph.
func (d *decoder) outputs(g *ir.Graph, p *graphProto, s *scope) error {
	inputs, seen := setOf(g.Inputs), map[*ir.Value]bool{}
	for _, b := range p.outputs {
		info, err := d.valueInfo(b)
		if err != nil {
			return err
		}
		v := s.find(info.name)
		if v == nil {
			return fmt.Errorf("output %q of the graph is never produced", info.name)
		}
		own := s.values[info.name] == v
		if seen[v] || !own {
			if info.doc != "" || len(info.rest) > 0 {
				embed(&g.Extra, roleOutput, b)
			}
			info.doc, info.rest = "", nil
		}
		seen[v] = true
		first := own && v.Const == nil && !inputs[v] && !v.Declared
		if err := info.describe(v, roleOutput, first); err != nil {
			return err
		}
		g.Outputs = append(g.Outputs, v)
	}
	return nil
}

func setOf(list []*ir.Value) map[*ir.Value]bool {
	out := make(map[*ir.Value]bool, len(list))
	for _, v := range list {
		out[v] = true
	}
	return out
}

// graph makes a GraphProto.
func (e *encoder) graph(g *ir.Graph) *message {
	m := &message{}
	inputs := setOf(g.Inputs)
	for _, n := range g.Nodes {
		m.sub(1, e.writeNode(n))
	}
	m.textIf(2, g.Name)
	for _, v := range g.Consts {
		if v.Sparse == nil {
			m.sub(roleConst, e.writeConst(v, inputs[v]))
		}
	}
	m.textIf(10, g.Doc)
	for _, v := range g.Inputs {
		m.sub(roleInput, writeValueInfo(v, roleInput, true))
	}
	e.writeOutputs(m, g, inputs)
	e.writeInfos(m, g, inputs)
	for _, v := range g.Consts {
		if v.Sparse != nil {
			m.sub(roleSparse, e.writeConst(v, inputs[v]))
		}
	}
	m.pairs(16, g.Metadata)
	e.check(g.Extra)
	m.put(without(g.Extra, roleOutput))
	return m
}

// writeOutputs writes the outputs. Those that the graph does not produce, or
// has listed before, are described by what is kept with the graph.
func (e *encoder) writeOutputs(m *message, g *ir.Graph, inputs map[*ir.Value]bool) {
	own := map[*ir.Value]bool{}
	for v := range g.Values {
		own[v] = true
		e.check(v.Extra)
	}
	kept := map[string][][]byte{}
	for _, b := range parts(g.Extra, roleOutput) {
		name := string(part(b, 1))
		kept[name] = append(kept[name], b)
	}
	for _, v := range g.Outputs {
		if own[v] {
			m.sub(roleOutput, writeValueInfo(v, roleOutput, v.Const == nil && !inputs[v] && !v.Declared))
			own[v] = false
			continue
		}
		if list := kept[v.Name]; len(list) > 0 {
			m.bytes(roleOutput, list[0])
			kept[v.Name] = list[1:]
			continue
		}
		m.sub(roleOutput, writeValueInfo(&ir.Value{Name: v.Name, Type: v.Type}, roleOutput, false))
	}
}

// writeInfos writes the types that the graph states for values in between.
func (e *encoder) writeInfos(m *message, g *ir.Graph, inputs map[*ir.Value]bool) {
	for v := range g.Values {
		if v.Declared {
			m.sub(roleInfo, writeValueInfo(v, roleInfo, v.Const == nil && !inputs[v]))
		}
	}
}
