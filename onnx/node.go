package onnx

import (
	"fmt"

	"pare/internal/fault"
	"pare/ir"
)

// pending is a node whose results are defined and whose operands are not yet
// looked up: they may be produced further on.
type pending struct {
	n     *ir.Node
	in    []string
	attrs [][]byte
}

// node reads a NodeProto and defines its results.
func (d *decoder) node(b []byte, s *scope) (*pending, error) {
	p := &pending{n: &ir.Node{}}
	n := p.n
	var out []string
	err := fields(b, func(f field) error {
		switch f.num {
		case 1:
			return f.texts(&p.in)
		case 2:
			return f.texts(&out)
		case 3:
			return f.text(&n.Name)
		case 4:
			return f.text(&n.Op)
		case 5:
			return f.msgs(&p.attrs)
		case 6:
			return f.text(&n.Doc)
		case 7:
			return f.text(&n.Domain)
		case 8:
			return f.text(&n.Overload)
		case 9:
			return f.pair(&n.Metadata, &n.Extra)
		}
		return f.keep(&n.Extra)
	})
	if err == nil && n.Op == "" {
		err = fmt.Errorf("it has no operator")
	}
	for _, name := range out {
		var v *ir.Value
		if name != "" && err == nil {
			v, err = s.define(name)
		}
		n.Out = append(n.Out, v)
	}
	return p, err
}

// resolve looks the operands up and reads the attributes.
func (d *decoder) resolve(p *pending, s *scope) (err error) {
	if p.n.In, err = s.list(p.in); err != nil {
		return err
	}
	seen := make(map[string]bool, len(p.attrs))
	for _, b := range p.attrs {
		a, err := d.attr(b, s)
		if err != nil {
			return err
		}
		if seen[a.Name] {
			return fmt.Errorf("attribute %q occurs twice", a.Name)
		}
		seen[a.Name] = true
		p.n.Attrs = append(p.n.Attrs, a)
	}
	return nil
}

// nodes reads the nodes of a graph or function.
func (d *decoder) nodes(list [][]byte, s *scope) ([]*ir.Node, error) {
	waiting := make([]*pending, len(list))
	for i, b := range list {
		p, err := d.node(b, s)
		if err != nil {
			return nil, atNode(p.n, i, err)
		}
		waiting[i] = p
	}
	out := make([]*ir.Node, len(list))
	for i, p := range waiting {
		if err := d.resolve(p, s); err != nil {
			return nil, atNode(p.n, i, err)
		}
		out[i] = p.n
		waiting[i] = nil
	}
	return out, nil
}

// writeNode makes a NodeProto.
func (e *encoder) writeNode(n *ir.Node) *message {
	m := &message{}
	for _, v := range n.In {
		m.text(1, nameOf(v))
	}
	for _, v := range n.Out {
		m.text(2, nameOf(v))
	}
	m.textIf(3, n.Name)
	m.text(4, n.Op)
	for _, a := range n.Attrs {
		m.sub(5, e.writeAttr(a))
	}
	m.textIf(6, n.Doc)
	m.textIf(7, n.Domain)
	m.textIf(8, n.Overload)
	m.pairs(9, n.Metadata)
	e.rest(m, n.Extra)
	return m
}

func nameOf(v *ir.Value) string {
	if v == nil {
		return ""
	}
	return v.Name
}

// atNode adds the node and its place in the file to an error.
func atNode(n *ir.Node, i int, err error) error {
	return fmt.Errorf("node %d: %w", i, fault.AtNode(n, err))
}
