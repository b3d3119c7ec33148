package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
)

// The fields of GraphProto in which a value is described. Value.Extra holds what
// is left of them as parts of a GraphProto.
const (
	roleConst  protowire.Number = 5
	roleInput  protowire.Number = 11
	roleOutput protowire.Number = 12
	roleInfo   protowire.Number = 13
	roleSparse protowire.Number = 15
)

// valueInfo is a ValueInfoProto as it is read.
type valueInfo struct {
	name, doc string
	typ       ir.Type
	rest      []byte
}

func (d *decoder) valueInfo(b []byte) (*valueInfo, error) {
	p := &valueInfo{}
	var typ []byte
	err := fields(b, func(f field) error {
		switch f.num {
		case 1:
			return f.text(&p.name)
		case 2:
			return f.msg(&typ)
		case 3:
			return f.text(&p.doc)
		}
		return f.keep(&p.rest)
	})
	if err == nil && typ != nil {
		var rest []byte
		p.typ, rest, err = d.typ(typ)
		embed(&p.rest, 2, rest)
	}
	if err != nil {
		return nil, fmt.Errorf("type of value %q: %w", p.name, err)
	}
	return p, nil
}

// describe adds what a ValueInfoProto says to v. The documentation of the
// value is that of the place where it is described first.
func (p *valueInfo) describe(v *ir.Value, role protowire.Number, first bool) error {
	t, err := ir.Merge(v.Type, p.typ)
	if err != nil {
		return fmt.Errorf("value %q is described twice: %w", v.Name, err)
	}
	v.Type = t
	if first {
		v.Doc = p.doc
	} else {
		m := &message{}
		m.textIf(3, p.doc)
		m.put(p.rest)
		p.rest = m.flat()
	}
	embed(&v.Extra, role, p.rest)
	return nil
}

// writeValueInfo makes the ValueInfoProto of v in one of its roles.
func writeValueInfo(v *ir.Value, role protowire.Number, first bool) *message {
	m := &message{}
	m.text(1, v.Name)
	rest := part(v.Extra, role)
	if v.Type.Kind != ir.KindUnknown {
		m.sub(2, writeType(v.Type, part(rest, 2)))
	}
	if first {
		m.textIf(3, v.Doc)
	}
	m.put(without(rest, 2))
	return m
}
