package onnx

import (
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
)

// byReference is the size from which bytes are not copied into a message but
// written from where they are.
const byReference = 1024

// message is a message being written: its bytes in pieces, so that lengths are
// known before anything is written and tensors stay where they are.
type message struct {
	pieces [][]byte
	own    bool // the last piece may be appended to
	size   int64
}

// tail returns the piece to append small things to.
func (m *message) tail() *[]byte {
	if !m.own {
		m.pieces = append(m.pieces, nil)
		m.own = true
	}
	return &m.pieces[len(m.pieces)-1]
}

// put appends bytes, by reference where they are many.
func (m *message) put(b []byte) {
	m.size += int64(len(b))
	if len(b) >= byReference {
		m.pieces, m.own = append(m.pieces, b), false
		return
	}
	t := m.tail()
	*t = append(*t, b...)
}

func (m *message) tag(num protowire.Number, typ protowire.Type) {
	t := m.tail()
	n := len(*t)
	*t = protowire.AppendTag(*t, num, typ)
	m.size += int64(len(*t) - n)
}

func (m *message) varint(v uint64) {
	t := m.tail()
	n := len(*t)
	*t = protowire.AppendVarint(*t, v)
	m.size += int64(len(*t) - n)
}

// int writes an integer, zero included.
func (m *message) int(num protowire.Number, v int64) {
	m.tag(num, protowire.VarintType)
	m.varint(uint64(v))
}

// intIf writes an integer other than zero.
func (m *message) intIf(num protowire.Number, v int64) {
	if v != 0 {
		m.int(num, v)
	}
}

func (m *message) float(num protowire.Number, v float32) {
	m.tag(num, protowire.Fixed32Type)
	m.put(protowire.AppendFixed32(nil, math.Float32bits(v)))
}

// bytes writes a length-delimited field.
func (m *message) bytes(num protowire.Number, b []byte) {
	m.tag(num, protowire.BytesType)
	m.varint(uint64(len(b)))
	m.put(b)
}

// text writes a string, the empty one included.
func (m *message) text(num protowire.Number, s string) { m.bytes(num, []byte(s)) }

// textIf writes a string that is not empty.
func (m *message) textIf(num protowire.Number, s string) {
	if s != "" {
		m.text(num, s)
	}
}

// ints writes a repeated integer, packed.
func (m *message) ints(num protowire.Number, list []int64) {
	if len(list) == 0 {
		return
	}
	var b []byte
	for _, v := range list {
		b = protowire.AppendVarint(b, uint64(v))
	}
	m.bytes(num, b)
}

// sub writes a sub-message.
func (m *message) sub(num protowire.Number, s *message) {
	m.tag(num, protowire.BytesType)
	m.varint(uint64(s.size))
	for _, p := range s.pieces {
		m.put(p)
	}
}

// subIf writes a sub-message that is not empty.
func (m *message) subIf(num protowire.Number, s *message) {
	if s.size > 0 {
		m.sub(num, s)
	}
}

// pairs writes keys and values.
func (m *message) pairs(num protowire.Number, list []ir.KV) {
	for _, kv := range list {
		e := &message{}
		e.text(1, kv.Key)
		e.text(2, kv.Value)
		m.sub(num, e)
	}
}

// WriteTo writes the message.
func (m *message) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for _, p := range m.pieces {
		k, err := w.Write(p)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// flat returns all bytes in one slice.
func (m *message) flat() []byte {
	if len(m.pieces) == 1 {
		return m.pieces[0]
	}
	out := make([]byte, 0, m.size)
	for _, p := range m.pieces {
		out = append(out, p...)
	}
	return out
}
