package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
)

// functionProto is what a FunctionProto holds besides fields of ir.Function.
type functionProto struct {
	in, out                        []string
	nodes, infos, defaults, opsets [][]byte
}

// field reads a field of a FunctionProto.
func (p *functionProto) field(f *ir.Function, x field) error {
	switch x.num {
	case 1:
		return x.text(&f.Name)
	case 4:
		return x.texts(&p.in)
	case 5:
		return x.texts(&p.out)
	case 6:
		return x.texts(&f.Attrs)
	case 7:
		return x.msgs(&p.nodes)
	case 8:
		return x.text(&f.Doc)
	case 9:
		return x.msgs(&p.opsets)
	case 10:
		return x.text(&f.Domain)
	case 11:
		return x.msgs(&p.defaults)
	case 12:
		return x.msgs(&p.infos)
	case 13:
		return x.text(&f.Overload)
	case 14:
		return x.pair(&f.Metadata, &f.Extra)
	}
	return x.keep(&f.Extra)
}

// function reads a FunctionProto. The function is returned with an error, too,
// as far as it was read.
func (d *decoder) function(b []byte) (*ir.Function, error) {
	f, p := &ir.Function{}, &functionProto{}
	err := fields(b, func(x field) error { return p.field(f, x) })
	if err != nil {
		return f, err
	}
	f.Body = &ir.Graph{Name: f.Name}
	if f.Opsets, err = readOpsets(p.opsets, &f.Extra); err != nil {
		return f, err
	}
	for _, b := range p.defaults {
		a, err := d.attr(b, nil)
		if err != nil {
			return f, err
		}
		f.Defaults = append(f.Defaults, a)
	}
	return f, d.functionBody(f, p)
}

func (d *decoder) functionBody(f *ir.Function, p *functionProto) (err error) {
	g := f.Body
	s := newScope(nil)
	for _, name := range p.in {
		v, err := s.define(name)
		if err != nil {
			return fmt.Errorf("operands: %w", err)
		}
		g.Inputs = append(g.Inputs, v)
	}
	if g.Nodes, err = d.nodes(p.nodes, s); err != nil {
		return err
	}
	if err := d.describeAll(p.infos, s, nil, func(b []byte) { embed(&f.Extra, 12, b) }); err != nil {
		return err
	}
	for _, name := range p.out {
		v := s.values[name]
		if v == nil {
			return fmt.Errorf("result %q is never produced", name)
		}
		g.Outputs = append(g.Outputs, v)
	}
	return nil
}

// function makes a FunctionProto.
func (e *encoder) function(f *ir.Function) *message {
	m := &message{}
	g := f.Body
	m.text(1, f.Name)
	for _, v := range g.Inputs {
		m.text(4, nameOf(v))
	}
	for _, v := range g.Outputs {
		m.text(5, nameOf(v))
	}
	for _, name := range f.Attrs {
		m.text(6, name)
	}
	e.functionConsts(m, g)
	for _, n := range g.Nodes {
		m.sub(7, e.writeNode(n))
	}
	m.textIf(8, f.Doc)
	rest := e.writeOpsets(m, 9, f.Opsets, f.Extra)
	m.text(10, f.Domain)
	for _, a := range f.Defaults {
		m.sub(11, e.writeAttr(a))
	}
	for v := range g.Values {
		if v.Declared {
			m.sub(12, writeValueInfo(v, roleInfo, v.Const == nil))
		}
	}
	m.textIf(13, f.Overload)
	m.pairs(14, f.Metadata)
	m.put(rest)
	return m
}

// functionConsts writes the constants of a body as nodes, since functions have
// no initialisers.
func (e *encoder) functionConsts(m *message, g *ir.Graph) {
	for _, v := range g.Consts {
		a := ir.Attr{Name: "value", Value: v.Const}
		if v.Sparse != nil {
			a = ir.Attr{Name: "sparse_value", Value: v.Sparse}
		}
		m.sub(7, e.writeNode(&ir.Node{Op: "Constant", Out: []*ir.Value{v}, Attrs: []ir.Attr{a}}))
	}
}

// writeOpsets writes OperatorSetIdProtos and returns extra without what it
// says of them.
func (e *encoder) writeOpsets(m *message, num protowire.Number, list []ir.Opset, extra []byte) []byte {
	const kept = 8 // the field under which readOpsets keeps what is left
	rests := parts(extra, kept)
	for i, o := range list {
		set := &message{}
		set.textIf(1, o.Domain)
		set.int(2, int64(o.Version))
		set.put(at(rests, i))
		m.sub(num, set)
	}
	e.check(extra)
	return without(extra, kept)
}
