package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
)

// constant attaches an initialiser, whose data v holds, to the graph, as the
// default of an input where there is one of the name.
func (d *decoder) constant(g *ir.Graph, v *ir.Value, role protowire.Number, name, doc string, rest []byte, s *scope) error {
	at := s.values[name]
	switch {
	case at == nil:
		var err error
		if at, err = s.define(name); err != nil {
			return fmt.Errorf("initialisers: %w", err)
		}
		at.Type, at.Doc = ir.TypeOf(v.Const), doc
	case at.Const != nil:
		return fmt.Errorf("initialiser %q occurs twice", name)
	default:
		t, err := ir.Merge(at.Type, ir.TypeOf(v.Const))
		if err != nil {
			return fmt.Errorf("initialiser %q: %w", name, err)
		}
		if at.Type.Kind == ir.KindUnknown {
			at.Type = t
		}
		rest = withDoc(doc, role, rest)
	}
	at.Const, at.Sparse = v.Const, v.Sparse
	embed(&at.Extra, role, rest)
	g.Consts = append(g.Consts, at)
	return nil
}

// withDoc adds the documentation of a tensor whose value has another one.
func withDoc(doc string, role protowire.Number, rest []byte) []byte {
	if doc == "" {
		return rest
	}
	m := &message{}
	m.text(12, doc)
	if role == roleConst {
		m.put(rest)
		return m.flat()
	}
	values := &message{}
	values.sub(1, m)
	values.put(rest)
	return values.flat()
}

// writeConst makes the TensorProto or SparseTensorProto of a constant.
func (e *encoder) writeConst(v *ir.Value, isInput bool) *message {
	doc := v.Doc
	if isInput {
		doc = ""
	}
	if v.Sparse != nil {
		return e.writeSparse(v.Name, doc, v.Sparse, part(v.Extra, roleSparse))
	}
	return e.tensor(v.Name, doc, v.Const, part(v.Extra, roleConst), e.isExternal(v.Const, true))
}
