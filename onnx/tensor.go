package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
	"pare/tensor"
)

// The data fields of TensorProto.
const (
	floatData  protowire.Number = 4
	int32Data  protowire.Number = 5
	stringData protowire.Number = 6
	int64Data  protowire.Number = 7
	rawData    protowire.Number = 9
	doubleData protowire.Number = 10
	uint64Data protowire.Number = 11
)

// typedField is the data field of each element type besides raw_data; types
// that are not listed use int32_data.
var typedField = map[tensor.DType]protowire.Number{
	tensor.Float32: floatData, tensor.Complex64: floatData,
	tensor.Float64: doubleData, tensor.Complex128: doubleData,
	tensor.Int64: int64Data, tensor.Uint32: uint64Data, tensor.Uint64: uint64Data,
	tensor.String: stringData,
}

// tensorProto is a TensorProto as it is read.
type tensorProto struct {
	name, doc string
	t         *tensor.Tensor
	rest      []byte // what ir does not hold

	dims     []int64
	typ      tensor.DType
	raw      []byte
	typed    []field
	external bool
	where    []ir.KV
}

// tensor reads a TensorProto. Its error names the tensor.
func (d *decoder) tensor(b []byte) (*tensorProto, error) {
	p := &tensorProto{}
	err := fields(b, p.field)
	if err == nil {
		p.t, err = p.build(d)
	}
	if err != nil {
		return nil, fmt.Errorf("tensor %q: %w", p.name, err)
	}
	return p, nil
}

func (p *tensorProto) field(f field) error {
	switch f.num {
	case 1:
		return f.ints(&p.dims)
	case 2:
		return f.dtype(&p.typ)
	case 3:
		return errors.New("tensors in segments are not supported")
	case floatData, int32Data, stringData, int64Data, doubleData, uint64Data:
		p.typed = append(p.typed, f)
		return nil
	case 8:
		return f.text(&p.name)
	case rawData:
		p.raw = f.data
		return f.is(protowire.BytesType)
	case 12:
		return f.text(&p.doc)
	case 13:
		return f.pair(&p.where, &p.rest)
	case 14:
		p.external = f.n == 1
		if f.n > 1 {
			return fmt.Errorf("unknown data location %d", f.n)
		}
		return f.is(protowire.VarintType)
	}
	return f.keep(&p.rest)
}

// build makes the tensor of the fields.
func (p *tensorProto) build(d *decoder) (*tensor.Tensor, error) {
	shape, n, err := shapeOfDims(p.dims)
	if err != nil {
		return nil, err
	}
	if p.typ == tensor.Undefined {
		return nil, errors.New("it has no element type")
	}
	if p.external {
		if p.typ == tensor.String || len(p.raw) > 0 || len(p.typed) > 0 {
			return nil, errors.New("external data beside data, or of strings")
		}
		if p.raw, err = d.ext.find(p.where, p.typ.ByteLen(n)); err != nil {
			return nil, err
		}
	}
	if p.typ == tensor.String {
		return p.strings(shape, n)
	}
	if len(p.raw) > 0 && len(p.typed) > 0 {
		return nil, errors.New("it has both raw and typed data")
	}
	raw, make := p.raw, tensor.FromBytes
	if d.ext != nil && d.ext.mmap && len(p.typed) == 0 && p.typ != tensor.Bool {
		make = tensor.FromFile
	}
	if len(p.typed) > 0 {
		if raw, err = p.elements(); err != nil {
			return nil, err
		}
	}
	if p.typ == tensor.Bool {
		raw = bools(raw)
	}
	return make(p.typ, shape, raw)
}

// shapeOfDims is the shape of dims and its number of elements.
func shapeOfDims(dims []int64) ([]int, int, error) {
	if len(dims) > maxRank {
		return nil, 0, fmt.Errorf("more than %d dimensions", maxRank)
	}
	shape := make([]int, len(dims))
	for i, n := range dims {
		shape[i] = int(n)
	}
	n, err := tensor.CheckedLen(shape)
	return shape, n, err
}

// dimsOfShape is its inverse.
func dimsOfShape(shape []int) []int64 {
	dims := make([]int64, len(shape))
	for i, n := range shape {
		dims[i] = int64(n)
	}
	return dims
}

func (p *tensorProto) strings(shape []int, n int) (*tensor.Tensor, error) {
	var list []string
	for _, f := range p.typed {
		if f.num != stringData {
			return nil, fmt.Errorf("strings in data field %d", f.num)
		}
		if err := f.texts(&list); err != nil {
			return nil, err
		}
	}
	if len(p.raw) > 0 || len(list) != n {
		return nil, fmt.Errorf("shape %v needs %d strings, %d present", shape, n, len(list))
	}
	return tensor.OfStrings(shape, list), nil
}

// elements gathers the typed data as raw bytes.
func (p *tensorProto) elements() (out []byte, err error) {
	want := typedField[p.typ]
	if want == 0 {
		want = int32Data
	}
	for i, f := range p.typed {
		if f.num != want {
			return nil, fmt.Errorf("elements of type %v in data field %d", p.typ, f.num)
		}
		switch want {
		case floatData, doubleData:
			size := 4
			if want == doubleData {
				size = 8
			}
			b, err := f.fixed(size)
			if err != nil {
				return nil, err
			}
			if i == 0 { // most often all there is: no copy then
				out = slices.Clip(b)
			} else {
				out = append(out, b...)
			}
		default:
			if err := f.varints(func(v uint64) { out = appendLow(out, v, p.typ) }); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// appendLow appends the low bits of v, as many as an element of type t has, but
// a whole byte of packed elements.
func appendLow(out []byte, v uint64, t tensor.DType) []byte {
	if t == tensor.Bool && v != 0 {
		v = 1
	}
	switch t.Bits() {
	case 64:
		return binary.LittleEndian.AppendUint64(out, v)
	case 32:
		return binary.LittleEndian.AppendUint32(out, uint32(v))
	case 16:
		return binary.LittleEndian.AppendUint16(out, uint16(v))
	}
	return append(out, byte(v))
}

// bools makes every element 0 or 1, the only ones that Go allows.
func bools(raw []byte) []byte {
	bad := func(b byte) bool { return b > 1 }
	if !slices.ContainsFunc(raw, bad) {
		return raw
	}
	out := slices.Clone(raw)
	for i, b := range out {
		if bad(b) {
			out[i] = 1
		}
	}
	return out
}

// writeTensor makes a TensorProto in an attribute or elsewhere; rest is what was
// left when it was read.
func (e *encoder) writeTensor(name, doc string, t *tensor.Tensor, rest []byte) *message {
	return e.tensor(name, doc, t, rest, e.isExternal(t, false))
}

func (e *encoder) tensor(name, doc string, t *tensor.Tensor, rest []byte, external bool) *message {
	m := &message{}
	m.ints(1, dimsOfShape(t.Shape))
	m.int(2, int64(t.Type))
	m.textIf(8, name)
	switch {
	case t.Type == tensor.String:
		for _, s := range t.Strings() {
			m.text(stringData, s)
		}
	case external:
		m.pairs(13, e.external(t.Bytes()))
		m.int(14, 1)
	default:
		m.bytes(rawData, t.Bytes())
	}
	m.textIf(12, doc)
	m.put(rest)
	return m
}
