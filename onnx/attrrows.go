package onnx

import (
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
	"pare/tensor"
)

// attrRow is one type of attribute: the field that holds the value, how one
// occurrence of the field is added to what was read so far, and how the value
// is written.
type attrRow struct {
	num   protowire.Number
	empty any // the value where the field does not occur
	read  func(r *attrReader, so any, f field) (any, error)
	write func(w *attrWriter, v any)
}

// attrReader is what reading the value of an attribute needs.
type attrReader struct {
	d     *decoder
	scope *scope
	rests [][]byte // what was left of every embedded message
}

// attrWriter is what writing one needs.
type attrWriter struct {
	e     *encoder
	m     *message
	num   protowire.Number
	rests [][]byte
}

// Attribute types, by the numbers of AttributeProto.AttributeType.
const (
	attrFloat = iota + 1
	attrInt
	attrString
	attrTensor
	attrGraph
	attrFloats
	attrInts
	attrStrings
	attrTensors
	attrGraphs
	attrSparse
	attrSparses
	attrType
	attrTypes
)

// attrRows is indexed by attribute type. It is filled at start because graphs
// contain attributes.
var attrRows [attrTypes + 1]attrRow

func init() {
	attrRows = [attrTypes + 1]attrRow{
		attrFloat:   {2, float32(0), readFloat, func(w *attrWriter, v any) { w.m.float(w.num, v.(float32)) }},
		attrInt:     {3, int64(0), readInt, func(w *attrWriter, v any) { w.m.int(w.num, v.(int64)) }},
		attrString:  {4, "", readString, func(w *attrWriter, v any) { w.m.text(w.num, v.(string)) }},
		attrTensor:  one(5, readTensor, writeTensorAttr),
		attrGraph:   one(6, readGraph, writeGraphAttr),
		attrSparse:  one(22, readSparse, writeSparseAttr),
		attrType:    one(14, readType, writeTypeAttr),
		attrFloats:  {7, []float32{}, readFloats, writeFloats},
		attrInts:    {8, []int64{}, readInts, func(w *attrWriter, v any) { w.m.ints(w.num, v.([]int64)) }},
		attrStrings: {9, []string{}, readStrings, writeStrings},
		attrTensors: many(10, readTensor, writeTensorAttr),
		attrGraphs:  many(11, readGraph, writeGraphAttr),
		attrSparses: many(23, readSparse, writeSparseAttr),
		attrTypes:   many(15, readType, writeTypeAttr),
	}
}

// one is the row of an attribute that is a message.
func one[T any](num protowire.Number, read func(*attrReader, []byte) (T, []byte, error), write func(*attrWriter, T, []byte) *message) attrRow {
	return attrRow{num: num,
		read: func(r *attrReader, _ any, f field) (any, error) {
			if r.rests != nil {
				return nil, errors.New("two values")
			}
			v, rest, err := read(r, f.data)
			r.rests = [][]byte{rest}
			return v, err
		},
		write: func(w *attrWriter, v any) { w.m.sub(w.num, write(w, v.(T), at(w.rests, 0))) },
	}
}

// many is the row of an attribute that is a list of messages.
func many[T any](num protowire.Number, read func(*attrReader, []byte) (T, []byte, error), write func(*attrWriter, T, []byte) *message) attrRow {
	return attrRow{num: num, empty: []T{},
		read: func(r *attrReader, so any, f field) (any, error) {
			v, rest, err := read(r, f.data)
			r.rests = append(r.rests, rest)
			return append(so.([]T), v), err
		},
		write: func(w *attrWriter, v any) {
			for i, x := range v.([]T) {
				w.m.sub(w.num, write(w, x, at(w.rests, i)))
			}
		},
	}
}

func readFloat(_ *attrReader, _ any, f field) (any, error) {
	return math.Float32frombits(uint32(f.n)), f.is(protowire.Fixed32Type)
}

func readInt(_ *attrReader, _ any, f field) (any, error) {
	return int64(f.n), f.is(protowire.VarintType)
}

func readString(_ *attrReader, _ any, f field) (any, error) {
	return string(f.data), f.is(protowire.BytesType)
}

func readFloats(_ *attrReader, so any, f field) (any, error) {
	list := so.([]float32)
	err := f.floats(&list)
	return list, err
}

func readInts(_ *attrReader, so any, f field) (any, error) {
	list := so.([]int64)
	err := f.ints(&list)
	return list, err
}

func readStrings(_ *attrReader, so any, f field) (any, error) {
	list := so.([]string)
	err := f.texts(&list)
	return list, err
}

func readTensor(r *attrReader, b []byte) (*tensor.Tensor, []byte, error) {
	p, err := r.d.tensor(b)
	if err != nil {
		return nil, nil, err
	}
	return p.t, leftover(p), nil
}

func readSparse(r *attrReader, b []byte) (*tensor.Sparse, []byte, error) {
	p, err := r.d.sparse(b)
	if err != nil {
		return nil, nil, err
	}
	named := &message{}
	named.textIf(8, p.name)
	named.textIf(12, p.doc)
	embed(&p.rest, 1, named.flat())
	return p.s, p.rest, nil
}

func readGraph(r *attrReader, b []byte) (*ir.Graph, []byte, error) {
	g, err := r.d.graph(b, r.scope)
	return g, nil, err
}

func readType(r *attrReader, b []byte) (ir.Type, []byte, error) { return r.d.typ(b) }

func writeTensorAttr(w *attrWriter, t *tensor.Tensor, rest []byte) *message {
	return w.e.writeTensor("", "", t, rest)
}

func writeSparseAttr(w *attrWriter, s *tensor.Sparse, rest []byte) *message {
	return w.e.writeSparse("", "", s, rest)
}

func writeGraphAttr(w *attrWriter, g *ir.Graph, _ []byte) *message { return w.e.graph(g) }

func writeTypeAttr(_ *attrWriter, t ir.Type, rest []byte) *message { return writeType(t, rest) }

func writeFloats(w *attrWriter, v any) {
	var b []byte
	for _, x := range v.([]float32) {
		b = protowire.AppendFixed32(b, math.Float32bits(x))
	}
	if len(b) > 0 {
		w.m.bytes(w.num, b)
	}
}

func writeStrings(w *attrWriter, v any) {
	for _, s := range v.([]string) {
		w.m.text(w.num, s)
	}
}
