package onnx

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// attr reads an AttributeProto. Its error names the attribute.
func (d *decoder) attr(b []byte, s *scope) (ir.Attr, error) {
	var a ir.Attr
	var ref string
	var typ int64
	err := fields(b, func(f field) error {
		switch f.num {
		case 1:
			return f.text(&a.Name)
		case 13:
			return f.text(&a.Doc)
		case 20:
			return f.int(&typ)
		case 21:
			return f.text(&ref)
		}
		return nil
	})
	if err == nil && (typ < 0 || typ > attrTypes) {
		err = fmt.Errorf("unknown type %d", typ)
	}
	if err == nil && typ == 0 && ref == "" {
		typ = guessType(b)
	}
	if err == nil && ref != "" {
		a.Value = ir.Ref{Name: ref, Kind: int(typ)}
		typ = 0 // what lies in value fields is kept, not read
	}
	if err == nil {
		err = d.attrValue(b, int(typ), &a, s)
	}
	if err != nil {
		return a, fmt.Errorf("attribute %q: %w", a.Name, err)
	}
	return a, nil
}

// attrValue reads the value fields and keeps the fields that belong to no part
// of an attribute of this type.
func (d *decoder) attrValue(b []byte, typ int, a *ir.Attr, s *scope) error {
	row := attrRows[typ]
	r := &attrReader{d: d, scope: s}
	if typ != 0 {
		a.Value = row.empty
	}
	err := fields(b, func(f field) (err error) {
		switch f.num {
		case 1, 13, 20, 21:
		case row.num:
			a.Value, err = row.read(r, a.Value, f)
		default:
			err = f.keep(&a.Extra)
		}
		return err
	})
	if err == nil && typ != 0 && a.Value == nil {
		return fmt.Errorf("type %d without a value", typ)
	}
	embedAll(&a.Extra, row.num, r.rests)
	return err
}

// guessType finds the type of an attribute that does not state it, as files
// of the first version did, from the value that is there.
func guessType(b []byte) (typ int64) {
	_ = fields(b, func(f field) error {
		for i, row := range attrRows {
			if row.num == f.num && row.num != 0 && typ == 0 {
				typ = int64(i)
			}
		}
		return nil
	})
	return typ
}

// writeAttr makes an AttributeProto.
func (e *encoder) writeAttr(a ir.Attr) *message {
	m := &message{}
	m.text(1, a.Name)
	typ := typeOfAttr(a.Value)
	e.check(a.Extra)
	if ref, ok := a.Value.(ir.Ref); ok {
		m.text(21, ref.Name)
		typ = ref.Kind
	} else if a.Value != nil && typ == 0 {
		e.fail(fmt.Errorf("attribute %q: a value of type %T cannot be written", a.Name, a.Value))
	} else if typ != 0 {
		row := attrRows[typ]
		w := &attrWriter{e: e, m: m, num: row.num, rests: parts(a.Extra, row.num)}
		row.write(w, a.Value)
		a.Extra = without(a.Extra, row.num)
	}
	m.intIf(20, int64(typ))
	m.textIf(13, a.Doc)
	m.put(a.Extra)
	return m
}

// typeOfAttr is the attribute type of a value, 0 when it is none.
func typeOfAttr(v any) int {
	switch v.(type) {
	case float32:
		return attrFloat
	case int64:
		return attrInt
	case string:
		return attrString
	case *tensor.Tensor:
		return attrTensor
	case *ir.Graph:
		return attrGraph
	case *tensor.Sparse:
		return attrSparse
	case ir.Type:
		return attrType
	case []float32:
		return attrFloats
	case []int64:
		return attrInts
	case []string:
		return attrStrings
	case []*tensor.Tensor:
		return attrTensors
	case []*ir.Graph:
		return attrGraphs
	case []*tensor.Sparse:
		return attrSparses
	case []ir.Type:
		return attrTypes
	}
	return 0
}
