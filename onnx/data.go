package onnx

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// DecodeTensor reads a TensorProto, the content of a .pb file. The tensor may
// borrow data. External data are refused.
func DecodeTensor(data []byte) (*tensor.Tensor, error) {
	p, err := newDecoder(len(data), nil).tensor(data)
	if err != nil {
		return nil, err
	}
	return p.t, nil
}

// DecodeValue reads the message in which a value of type t is stored: a
// TensorProto, SequenceProto or OptionalProto.
func DecodeValue(data []byte, t ir.Type) (op.Val, error) {
	return newDecoder(len(data), nil).value(data, t)
}

func (d *decoder) value(data []byte, t ir.Type) (op.Val, error) {
	if err := d.deeper(); err != nil {
		return nil, err
	}
	defer d.back()
	elem := ir.Type{}
	if t.Elem != nil {
		elem = *t.Elem
	}
	switch t.Kind {
	case ir.KindTensor:
		p, err := d.tensor(data)
		if err != nil {
			return nil, err
		}
		return p.t, nil
	case ir.KindSequence:
		list, err := d.elems(data, elem)
		return &op.Sequence{Elems: list, Type: elem}, err
	case ir.KindOptional:
		list, err := d.elems(data, elem)
		if err == nil && len(list) > 1 {
			err = errors.New("an optional with several values")
		}
		out := &op.Optional{Type: elem}
		if len(list) == 1 {
			out.Elem = list[0]
		}
		return out, err
	}
	return nil, fmt.Errorf("values of type %v are not supported", t)
}

// elemFields are the fields of SequenceProto and OptionalProto that hold
// elements of a kind.
var elemFields = map[ir.Kind]protowire.Number{ir.KindTensor: 3, ir.KindSequence: 5, ir.KindOptional: 7}

// elems reads the elements of a sequence or optional; name and element type
// are the only other fields it may have.
func (d *decoder) elems(data []byte, elem ir.Type) (out []op.Val, err error) {
	err = fields(data, func(f field) error {
		switch f.num {
		case 1, 2:
			return nil
		case elemFields[elem.Kind]:
			v, err := d.value(f.data, elem)
			out = append(out, v)
			return err
		}
		return fmt.Errorf("elements of type %v in field %d", elem, f.num)
	})
	return out, err
}
