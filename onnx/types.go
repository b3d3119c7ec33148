package onnx

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
	"pare/tensor"
)

// The alternatives of TypeProto.value.
const (
	typeTensor   protowire.Number = 1
	typeSequence protowire.Number = 4
	typeMap      protowire.Number = 5
	typeSparse   protowire.Number = 8
	typeOptional protowire.Number = 9
)

var typeKinds = map[protowire.Number]ir.Kind{
	typeTensor: ir.KindTensor, typeSparse: ir.KindSparse,
	typeSequence: ir.KindSequence, typeOptional: ir.KindOptional, typeMap: ir.KindMap,
}

// typ reads a TypeProto; rest is what ir.Type does not hold.
func (d *decoder) typ(b []byte) (t ir.Type, rest []byte, err error) {
	if err := d.deeper(); err != nil {
		return t, nil, err
	}
	defer d.back()
	err = fields(b, func(f field) error {
		kind := typeKinds[f.num]
		if kind == ir.KindUnknown {
			return f.keep(&rest)
		}
		if err := f.is(protowire.BytesType); err != nil {
			return err
		}
		if t.Kind != ir.KindUnknown {
			return errors.New("a type of several kinds")
		}
		t.Kind = kind
		var inner []byte
		var err error
		switch kind {
		case ir.KindTensor, ir.KindSparse:
			inner, err = tensorType(f.data, &t)
		case ir.KindMap:
			inner, err = d.mapType(f.data, &t)
		default:
			inner, err = d.elemType(f.data, 1, &t)
		}
		embed(&rest, f.num, inner)
		return err
	})
	return t, rest, err
}

func tensorType(b []byte, t *ir.Type) (rest []byte, err error) {
	err = fields(b, func(f field) error {
		switch f.num {
		case 1:
			return f.dtype(&t.DType)
		case 2:
			t.Ranked = true
			inner, err := shapeOf(f.data, &t.Shape)
			embed(&rest, 2, inner)
			return err
		}
		return f.keep(&rest)
	})
	return rest, err
}

// dtype reads the number of an element type, zero for none.
func (x field) dtype(to *tensor.DType) error {
	if t := tensor.DType(x.n); x.n > math.MaxUint8 || x.n != 0 && !t.Valid() {
		return fmt.Errorf("unknown element type %d", int64(x.n))
	}
	*to = tensor.DType(x.n)
	return x.is(protowire.VarintType)
}

func shapeOf(b []byte, shape *[]ir.Dim) (rest []byte, err error) {
	var rests [][]byte
	err = fields(b, func(f field) error {
		if f.num != 1 {
			return f.keep(&rest)
		}
		if len(*shape) == maxRank {
			return fmt.Errorf("more than %d dimensions", maxRank)
		}
		d, inner, err := dim(f.data)
		*shape = append(*shape, d)
		rests = append(rests, inner)
		return err
	})
	embedAll(&rest, 1, rests)
	return rest, err
}

// dim reads a dimension. Negative sizes, which some exporters write for unknown
// ones, are unknown.
func dim(b []byte) (d ir.Dim, rest []byte, err error) {
	d = ir.Unknown
	err = fields(b, func(f field) error {
		switch f.num {
		case 1:
			if n := int64(f.n); n >= 0 {
				d = ir.Known(int(n))
			}
			return f.is(protowire.VarintType)
		case 2:
			d = ir.Symbol(string(f.data))
			return f.is(protowire.BytesType)
		}
		return f.keep(&rest)
	})
	return d, rest, err
}

func (d *decoder) elemType(b []byte, num protowire.Number, t *ir.Type) (rest []byte, err error) {
	err = fields(b, func(f field) error {
		if f.num != num {
			return f.keep(&rest)
		}
		if t.Elem != nil {
			return errors.New("a type with several element types")
		}
		e, inner, err := d.typ(f.data)
		t.Elem = &e
		embed(&rest, num, inner)
		return err
	})
	return rest, err
}

func (d *decoder) mapType(b []byte, t *ir.Type) (rest []byte, err error) {
	others, err := d.elemType(b, 2, t)
	if err != nil {
		return nil, err
	}
	err = fields(others, func(f field) error {
		if f.num == 1 {
			return f.dtype(&t.Key)
		}
		return f.keep(&rest)
	})
	return rest, err
}

// writeType makes a TypeProto of t and what was left when it was read.
func writeType(t ir.Type, rest []byte) *message {
	m := &message{}
	num := protowire.Number(0)
	for n, kind := range typeKinds {
		if kind == t.Kind {
			num = n
		}
	}
	if num != 0 {
		m.sub(num, writeTypeBody(t, part(rest, num)))
	}
	m.put(without(rest, num))
	return m
}

func writeTypeBody(t ir.Type, rest []byte) *message {
	m := &message{}
	switch t.Kind {
	case ir.KindTensor, ir.KindSparse:
		m.intIf(1, int64(t.DType))
		if t.Ranked {
			m.sub(2, writeShape(t.Shape, part(rest, 2)))
		}
		m.put(without(rest, 2))
		return m
	case ir.KindMap:
		m.intIf(1, int64(t.Key))
		writeElem(m, 2, t, rest)
	default:
		writeElem(m, 1, t, rest)
	}
	return m
}

func writeElem(m *message, num protowire.Number, t ir.Type, rest []byte) {
	if t.Elem != nil {
		m.sub(num, writeType(*t.Elem, part(rest, num)))
	}
	m.put(without(rest, num))
}

func writeShape(shape []ir.Dim, rest []byte) *message {
	m := &message{}
	rests := parts(rest, 1)
	for i, d := range shape {
		e := &message{}
		if d.IsKnown() {
			e.int(1, int64(d.N))
		} else {
			e.textIf(2, d.Sym)
		}
		e.put(at(rests, i))
		m.sub(1, e)
	}
	m.put(without(rest, 1))
	return m
}
