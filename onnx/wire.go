package onnx

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"pare/ir"
)

// field is one field of a message as it lies on the wire.
type field struct {
	num   protowire.Number
	typ   protowire.Type
	whole []byte // with its tag
	data  []byte // of a length-delimited field
	n     uint64 // of every other field
}

// fields calls f for every field of a message, in order.
func fields(b []byte, f func(field) error) error {
	for size := len(b); len(b) > 0; {
		x, n, err := nextField(b)
		if err != nil {
			return fmt.Errorf("damaged at byte %d of %d: %w", size-len(b), size, err)
		}
		b = b[n:]
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

func nextField(b []byte) (x field, n int, err error) {
	var tag int
	if x.num, x.typ, tag = protowire.ConsumeTag(b); tag < 0 {
		return x, 0, protowire.ParseError(tag)
	}
	rest := b[tag:]
	switch x.typ {
	case protowire.VarintType:
		x.n, n = protowire.ConsumeVarint(rest)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(rest)
		x.n = uint64(v)
	case protowire.Fixed64Type:
		x.n, n = protowire.ConsumeFixed64(rest)
	case protowire.BytesType:
		x.data, n = protowire.ConsumeBytes(rest)
	default: // groups, which ONNX never used
		n = protowire.ConsumeFieldValue(x.num, x.typ, rest)
	}
	if n < 0 {
		return x, 0, protowire.ParseError(n)
	}
	x.whole = b[:tag+n]
	return x, tag + n, nil
}

// is reports a field of another wire type than the schema's.
func (x field) is(typ protowire.Type) error {
	if x.typ != typ {
		return fmt.Errorf("field %d has wire type %d, not %d", x.num, x.typ, typ)
	}
	return nil
}

// keep stores a field that is not interpreted.
func (x field) keep(extra *[]byte) error {
	*extra = append(*extra, x.whole...)
	return nil
}

func (x field) text(to *string) error {
	*to = string(x.data)
	return x.is(protowire.BytesType)
}

func (x field) texts(to *[]string) error {
	*to = append(*to, string(x.data))
	return x.is(protowire.BytesType)
}

func (x field) int(to *int64) error {
	*to = int64(x.n)
	return x.is(protowire.VarintType)
}

// msg stores a message that occurs once. Where it occurs again the parts
// merge, which on the wire is to lie behind each other.
func (x field) msg(to *[]byte) error {
	switch {
	case *to == nil:
		*to = x.data[:len(x.data):len(x.data)]
	default:
		*to = append(*to, x.data...)
	}
	if *to == nil {
		*to = []byte{}
	}
	return x.is(protowire.BytesType)
}

func (x field) msgs(to *[][]byte) error {
	*to = append(*to, x.data)
	return x.is(protowire.BytesType)
}

// ints appends a repeated integer, packed or not.
func (x field) ints(to *[]int64) error {
	return x.varints(func(v uint64) { *to = append(*to, int64(v)) })
}

// varints yields the elements of a repeated integer, packed or not.
func (x field) varints(yield func(uint64)) error {
	if x.typ == protowire.VarintType {
		yield(x.n)
		return nil
	}
	for b := x.data; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return fmt.Errorf("field %d: %w", x.num, protowire.ParseError(n))
		}
		yield(v)
		b = b[n:]
	}
	return x.is(protowire.BytesType)
}

// fixed returns the bytes of a repeated number of fixed size, packed or not.
func (x field) fixed(size int) ([]byte, error) {
	one := protowire.Fixed32Type
	if size == 8 {
		one = protowire.Fixed64Type
	}
	if x.typ == one {
		return x.whole[len(x.whole)-size:], nil
	}
	if err := x.is(protowire.BytesType); err != nil {
		return nil, err
	}
	if len(x.data)%size != 0 {
		return nil, fmt.Errorf("field %d has %d bytes, not a multiple of %d", x.num, len(x.data), size)
	}
	return x.data, nil
}

func (x field) floats(to *[]float32) error {
	b, err := x.fixed(4)
	for ; len(b) >= 4; b = b[4:] {
		v, _ := protowire.ConsumeFixed32(b)
		*to = append(*to, math.Float32frombits(v))
	}
	return err
}

// pair appends a key and its value. An entry that holds anything else is kept
// in extra as a whole.
func (x field) pair(to *[]ir.KV, extra *[]byte) error {
	if err := x.is(protowire.BytesType); err != nil {
		return err
	}
	var kv ir.KV
	var rest []byte
	err := fields(x.data, func(f field) error {
		switch f.num {
		case 1:
			return f.text(&kv.Key)
		case 2:
			return f.text(&kv.Value)
		}
		return f.keep(&rest)
	})
	if len(rest) > 0 {
		return x.keep(extra)
	}
	*to = append(*to, kv)
	return err
}

// embed adds what was left of a sub-message to what is left of its message.
func embed(extra *[]byte, num protowire.Number, rest []byte) {
	if len(rest) == 0 {
		return
	}
	*extra = protowire.AppendTag(*extra, num, protowire.BytesType)
	*extra = protowire.AppendBytes(*extra, rest)
}

// embedAll does so for a repeated sub-message: all or, where nothing is left
// of any, none.
func embedAll(extra *[]byte, num protowire.Number, rests [][]byte) {
	some := 0
	for _, r := range rests {
		some += len(r)
	}
	for _, r := range rests {
		if some > 0 {
			*extra = protowire.AppendTag(*extra, num, protowire.BytesType)
			*extra = protowire.AppendBytes(*extra, r)
		}
	}
}

// parts is the inverse of embedAll: the sub-messages num of extra.
func parts(extra []byte, num protowire.Number) (out [][]byte) {
	_ = fields(extra, func(f field) error {
		if f.num == num && f.typ == protowire.BytesType {
			out = append(out, f.data)
		}
		return nil
	})
	return out
}

// part is the inverse of embed.
func part(extra []byte, num protowire.Number) (out []byte) {
	for _, p := range parts(extra, num) {
		out = append(out, p...)
	}
	return out
}

// at is element i, nil beyond the end.
func at(list [][]byte, i int) []byte {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// without is extra but for the fields nums.
func without(extra []byte, nums ...protowire.Number) (out []byte) {
	_ = fields(extra, func(f field) error {
		for _, n := range nums {
			if f.num == n {
				return nil
			}
		}
		return f.keep(&out)
	})
	return out
}
