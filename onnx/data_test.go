package onnx

import (
	"strings"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func TestDecodeValue(t *testing.T) {
	f32 := ir.UnrankedType(tensor.Float32)
	list := ir.Type{Kind: ir.KindSequence, Elem: &f32}
	maybe := ir.Type{Kind: ir.KindOptional, Elem: &list}
	data := marshal(t, textProto(t, "OptionalProto", `name: "o" elem_type: 3 sequence_value { elem_type: 1
		tensor_values { data_type: 1 dims: 1 float_data: 2 } tensor_values { data_type: 1 dims: 2 float_data: [3, 4] } }`))
	v, err := DecodeValue(data, maybe)
	if err != nil {
		t.Fatal(err)
	}
	seq, ok := v.(*op.Optional).Elem.(*op.Sequence)
	if !ok || len(seq.Elems) != 2 || !seq.Type.Equal(f32) {
		t.Fatalf("got %#v", v)
	}
	if last := tensor.Data[float32](seq.Elems[1].(*tensor.Tensor)); last[1] != 4 {
		t.Errorf("last tensor %v", last)
	}
	if v, err := DecodeValue(nil, maybe); err != nil || v.(*op.Optional).Elem != nil {
		t.Errorf("an empty optional is %v, %v", v, err)
	}
}

func TestDecodeValueRefuses(t *testing.T) {
	f32 := ir.UnrankedType(tensor.Float32)
	list := ir.Type{Kind: ir.KindSequence, Elem: &f32}
	maybe := ir.Type{Kind: ir.KindOptional, Elem: &f32}
	deep := f32
	for range maxNesting + 1 {
		inner := deep
		deep = ir.Type{Kind: ir.KindSequence, Elem: &inner}
	}
	nested := `tensor_values { data_type: 1 float_data: 1 }`
	for range maxNesting {
		nested = `sequence_values { ` + nested + ` }`
	}
	for _, c := range []struct {
		message, text string
		typ           ir.Type
		want          string
	}{
		{"SequenceProto", `sequence_values { }`, list, "elements of type f32[*] in field 5"},
		{"SequenceProto", `tensor_values { data_type: 1 dims: 3 float_data: 1 }`, list, "needs 12 bytes"},
		{"OptionalProto", `map_value { }`, maybe, "in field 6"},
		{"SequenceProto", ``, ir.Type{Kind: ir.KindMap, Elem: &f32}, "not supported"},
		{"SequenceProto", nested, deep, "nested more than"},
	} {
		_, err := DecodeValue(marshal(t, textProto(t, c.message, c.text)), c.typ)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: got %v, want %s", c.text, err, c.want)
		}
	}
}
