package onnx

import (
	"errors"
	"fmt"

	"pare/tensor"
)

// sparseProto is a SparseTensorProto as it is read.
type sparseProto struct {
	name, doc string // those of the values
	s         *tensor.Sparse
	rest      []byte
}

// sparse reads a SparseTensorProto.
func (d *decoder) sparse(b []byte) (*sparseProto, error) {
	p := &sparseProto{s: &tensor.Sparse{}}
	var values, indices []byte
	var dims []int64
	err := fields(b, func(f field) error {
		switch f.num {
		case 1:
			return f.msg(&values)
		case 2:
			return f.msg(&indices)
		case 3:
			return f.ints(&dims)
		}
		return f.keep(&p.rest)
	})
	if err != nil {
		return nil, fmt.Errorf("sparse tensor: %w", err)
	}
	if values == nil || indices == nil {
		return nil, errors.New("sparse tensor without values or indices")
	}
	v, err := d.tensor(values)
	if err != nil {
		return nil, err
	}
	i, err := d.tensor(indices)
	if err != nil {
		return nil, err
	}
	p.name, p.doc, p.s.Values, p.s.Indices = v.name, v.doc, v.t, i.t
	if p.s.Shape, _, err = shapeOfDims(dims); err != nil {
		return nil, fmt.Errorf("sparse tensor %q: %w", p.name, err)
	}
	embed(&p.rest, 1, v.rest)
	embed(&p.rest, 2, leftover(i))
	return p, nil
}

// leftover is all of a tensor but its data: name and documentation included.
func leftover(p *tensorProto) []byte {
	m := &message{}
	m.textIf(8, p.name)
	m.textIf(12, p.doc)
	m.put(p.rest)
	return m.flat()
}

// expand returns the dense form of s, within what the model may expand to.
func (d *decoder) expand(s *tensor.Sparse) (*tensor.Tensor, error) {
	n, err := tensor.CheckedLen(s.Shape)
	if err != nil {
		return nil, err
	}
	if d.dense -= int64(s.Values.Type.ByteLen(n)); d.dense < 0 {
		return nil, fmt.Errorf("sparse tensors expand to more than %d times the file", densePerByte)
	}
	return s.Dense()
}

// writeSparse makes a SparseTensorProto.
func (e *encoder) writeSparse(name, doc string, s *tensor.Sparse, rest []byte) *message {
	m := &message{}
	m.sub(1, e.writeTensor(name, doc, s.Values, part(rest, 1)))
	m.sub(2, e.writeTensor("", "", s.Indices, part(rest, 2)))
	m.ints(3, dimsOfShape(s.Shape))
	m.put(without(rest, 1, 2))
	return m
}
