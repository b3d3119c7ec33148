package onnx

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"pare/ir"
	"pare/tensor"
)

// everything uses every message of the schema, most fields of each.
const everything = `
ir_version: 13 producer_name: "tests" producer_version: "1" domain: "d" model_version: 3 doc_string: "model"
opset_import { version: 21 } opset_import { domain: "local" version: 1 }
metadata_props { key: "k" value: "v" } metadata_props { key: "k" value: "again" }
training_info { initialization { name: "init" } update_binding { key: "w" value: "w2" } }
configuration { name: "pair" num_devices: 2 device: ["a", "b"] }
functions {
  name: "Scaled" domain: "local" overload: "two" input: ["x", "y"] output: ["z"] attribute: "scale" doc_string: "f"
  attribute_proto { name: "bias" type: FLOAT f: 0.5 doc_string: "default" }
  opset_import { version: 21 }
  node { op_type: "Constant" output: "s" attribute { name: "value_float" type: FLOAT ref_attr_name: "scale" } }
  node { op_type: "Mul" input: ["x", "s"] output: "z" metadata_props { key: "a" value: "b" } }
  value_info { name: "s" type { tensor_type { elem_type: 1 shape {} } } doc_string: "inside" }
  value_info { name: "x" doc_string: "operand" }
  value_info { name: "nobody" }
  metadata_props { key: "fk" value: "fv" }
}
functions { name: "Scaled" domain: "local" input: "x" output: "x2" opset_import { version: 21 }
  node { op_type: "Identity" input: "x" output: "x2" } }
graph {
  name: "main" doc_string: "graph"
  metadata_props { key: "gk" value: "gv" }
  input { name: "x" doc_string: "in" metadata_props { key: "m" value: "n" }
    type { denotation: "IMAGE" tensor_type { elem_type: 1 shape { dim { dim_param: "N" denotation: "DATA_BATCH" } dim { dim_value: 3 } dim {} } } } }
  input { name: "w" type { tensor_type { elem_type: 1 shape { dim { dim_value: 2 } } } } doc_string: "overridable" }
  input { name: "seq" type { sequence_type { elem_type { optional_type { elem_type { tensor_type { elem_type: 7 } denotation: "deep" } } } } } }
  input { name: "map" type { map_type { key_type: 8 value_type { tensor_type { elem_type: 1 } } } } }
  input { name: "sp" type { sparse_tensor_type { elem_type: 1 shape { dim { dim_value: 4 } } } } }
  input { name: "cond" type { tensor_type { elem_type: 9 shape {} } } }
  input { name: "untyped" }
  initializer { name: "w" dims: 2 data_type: 1 float_data: [1, -2] doc_string: "tensor" metadata_props { key: "t" value: "u" } }
  initializer { name: "i4" dims: 3 data_type: 22 raw_data: "\x21\x0f" doc_string: "packed" }
  initializer { name: "strings" dims: 2 data_type: 8 string_data: ["", "\xff"] }
  sparse_initializer { dims: 4 values { name: "sparse" dims: 1 data_type: 1 float_data: 5 doc_string: "v" }
    indices { name: "where" dims: 1 data_type: 7 int64_data: 2 doc_string: "i" } }
  node { op_type: "Scaled" domain: "local" overload: "two" name: "call" input: ["x", ""] output: "y" doc_string: "n"
    attribute { name: "scale" type: FLOAT f: 2 doc_string: "a" }
    metadata_props { key: "nk" value: "nv" }
    device_configurations { configuration_id: "pair" pipeline_stage: 1 sharding_spec { tensor_name: "y" device: [0, 1] } } }
  node { op_type: "If" input: "cond" output: "branch"
    attribute { name: "then_branch" type: GRAPH g { name: "then" output { name: "y" doc_string: "outer" } } }
    attribute { name: "else_branch" type: GRAPH g { name: "else" doc_string: "sub"
      initializer { name: "c" dims: 0 data_type: 1 }
      node { op_type: "Add" input: ["y", "c"] output: "sum" } output { name: "sum" doc_string: "inner" } } } }
  node { op_type: "Odd" domain: "strange" output: ["", "odd", ""]
    attribute { name: "i" type: INT i: -1 } attribute { name: "s" type: STRING s: "\x00\xfe" }
    attribute { name: "t" type: TENSOR t { name: "named" doc_string: "td" dims: 1 data_type: 10 int32_data: 15360 } }
    attribute { name: "sp" type: SPARSE_TENSOR sparse_tensor { dims: [2, 2] values { name: "sv" dims: 1 data_type: 6 int32_data: -1 } indices { dims: [1, 2] data_type: 7 int64_data: [0, 1] } } }
    attribute { name: "tp" type: TYPE_PROTO tp { tensor_type { elem_type: 1 } denotation: "den" } }
    attribute { name: "floats" type: FLOATS floats: [1, inf] } attribute { name: "ints" type: INTS ints: [3, -4] }
    attribute { name: "none" type: INTS } attribute { name: "strings" type: STRINGS strings: ["a", ""] }
    attribute { name: "tensors" type: TENSORS tensors { dims: 0 data_type: 1 } tensors { name: "second" data_type: 2 int32_data: 200 } }
    attribute { name: "graphs" type: GRAPHS graphs { name: "g1" } graphs { name: "g2" } }
    attribute { name: "sparses" type: SPARSE_TENSORS sparse_tensors { dims: 2 values { dims: 0 data_type: 1 } indices { name: "ix" dims: 0 data_type: 7 } } }
    attribute { name: "types" type: TYPE_PROTOS type_protos { optional_type { elem_type { tensor_type { elem_type: 1 } } } } type_protos { denotation: "only" } } }
  value_info { name: "y" type { tensor_type { elem_type: 1 } } doc_string: "between" metadata_props { key: "vk" value: "vv" } }
  value_info { name: "i4" type { tensor_type { elem_type: 22 shape { dim { dim_value: 3 } } } } doc_string: "of a constant" } value_info { name: "ghost" doc_string: "of nothing" }
  value_info { name: "branch" type { tensor_type { elem_type: 1 } } doc_string: "twice" }
  output { name: "branch" type { tensor_type { elem_type: 1 } } doc_string: "out" }
  output { name: "odd" doc_string: "odd out" metadata_props { key: "ok" value: "ov" } }
  output { name: "x" doc_string: "passed through" type { tensor_type { elem_type: 1 shape { dim { dim_param: "N" } dim { dim_value: 3 } dim {} } } } }
  quantization_annotation { tensor_name: "y" quant_parameter_tensor_names { key: "SCALE_TENSOR" value: "w" } }
}`

func TestEverythingSurvives(t *testing.T) {
	m := textProto(t, "ModelProto", everything)
	survives(t, marshal(t, m), "")
	sprinkle(m)
	survives(t, marshal(t, m), "")
}

// sprinkle adds unknown fields to every message within m.
func sprinkle(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsList() && fd.Message() != nil:
			for i := range v.List().Len() {
				sprinkle(v.List().Get(i).Message())
			}
		case fd.Message() != nil:
			sprinkle(v.Message())
		}
		return true
	})
	var b []byte
	b = protowire.AppendTag(b, 777, protowire.BytesType)
	b = protowire.AppendString(b, "future of "+string(m.Descriptor().Name()))
	b = protowire.AppendTag(b, 778, protowire.VarintType)
	b = protowire.AppendVarint(b, 5)
	b = protowire.AppendTag(b, 779, protowire.StartGroupType)
	b = protowire.AppendTag(b, 779, protowire.EndGroupType)
	m.SetUnknown(b)
}

// elementCases are the ways in which tensors of the types can be stored, with
// the bytes they mean.
var elementCases = []struct {
	text string
	raw  []byte
}{
	{`data_type: 1 dims: 2 float_data: [1, -0]`, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x80}},
	{`data_type: 2 dims: 2 int32_data: [0, 255]`, []byte{0, 255}},
	{`data_type: 3 dims: 2 int32_data: [-1, 127]`, []byte{0xff, 0x7f}},
	{`data_type: 4 dims: 1 int32_data: 65535`, []byte{0xff, 0xff}},
	{`data_type: 5 dims: 1 int32_data: -2`, []byte{0xfe, 0xff}},
	{`data_type: 6 dims: 1 int32_data: -2147483648`, []byte{0, 0, 0, 0x80}},
	{`data_type: 7 int64_data: -2`, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
	{`data_type: 9 dims: 3 int32_data: [0, 1, 256]`, []byte{0, 1, 1}},
	{`data_type: 9 dims: 2 raw_data: "\x02\x00"`, []byte{1, 0}},
	{`data_type: 10 dims: 1 int32_data: 15360`, []byte{0, 0x3c}},
	{`data_type: 11 dims: 1 double_data: 1`, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}},
	{`data_type: 12 dims: 1 uint64_data: 4294967295`, []byte{0xff, 0xff, 0xff, 0xff}},
	{`data_type: 13 dims: 1 uint64_data: 18446744073709551615`, bytes.Repeat([]byte{0xff}, 8)},
	{`data_type: 14 dims: 1 float_data: [1, 2]`, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}},
	{`data_type: 15 dims: 1 double_data: [1, 0]`, append([]byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, make([]byte, 8)...)},
	{`data_type: 16 dims: 1 int32_data: 16256`, []byte{0x80, 0x3f}},
	{`data_type: 17 dims: 1 int32_data: 56`, []byte{56}},
	{`data_type: 18 dims: 1 int32_data: 128`, []byte{128}},
	{`data_type: 19 dims: 1 int32_data: 60`, []byte{60}},
	{`data_type: 20 dims: 1 int32_data: 64`, []byte{64}},
	{`data_type: 21 dims: 3 int32_data: [33, 15]`, []byte{0x21, 0x0f}},
	{`data_type: 22 dims: 3 raw_data: "\x21\x0f"`, []byte{0x21, 0x0f}},
	{`data_type: 23 dims: 2 int32_data: 114`, []byte{0x72}},
	{`data_type: 24 dims: 1 int32_data: 127`, []byte{127}},
	{`data_type: 25 dims: 5 int32_data: [228, 2]`, []byte{0xe4, 2}},
	{`data_type: 26 dims: 5 raw_data: "\xe4\x02"`, []byte{0xe4, 2}},
	{`data_type: 1 dims: [2, 0, 7]`, []byte{}},
}

func TestElementTypes(t *testing.T) {
	seen := map[tensor.DType]bool{tensor.String: true}
	for _, c := range elementCases {
		m := textProto(t, "TensorProto", c.text)
		for name, data := range map[string][]byte{"packed": marshal(t, m), "unpacked": unpacked(t, m)} {
			got, err := DecodeTensor(data)
			if err != nil {
				t.Errorf("%s, %s: %v", c.text, name, err)
				continue
			}
			if !bytes.Equal(got.Bytes(), c.raw) {
				t.Errorf("%s, %s: % x, want % x", c.text, name, got.Bytes(), c.raw)
			}
			back, err := DecodeTensor(EncodeTensor("t", got))
			if err != nil || !tensor.Equal(got, back) {
				t.Errorf("%s: after writing: %v, %v", c.text, back, err)
			}
			seen[got.Type] = true
		}
	}
	for d := tensor.DType(1); d.Valid(); d++ {
		if !seen[d] {
			t.Errorf("no case has elements of type %v", d)
		}
	}
}

// unpacked writes a tensor with every element of its data in a field of its own.
func unpacked(t *testing.T, m *dynamicpb.Message) (out []byte) {
	t.Helper()
	err := fields(marshal(t, m), func(f field) error {
		if f.typ != protowire.BytesType || f.num == rawData || f.num == 8 {
			out = append(out, f.whole...)
			return nil
		}
		switch f.num {
		case floatData, doubleData:
			size, typ := 4, protowire.Fixed32Type
			if f.num == doubleData {
				size, typ = 8, protowire.Fixed64Type
			}
			for b := f.data; len(b) > 0; b = b[size:] {
				out = append(protowire.AppendTag(out, f.num, typ), b[:size]...)
			}
			return nil
		}
		return f.varints(func(v uint64) {
			out = protowire.AppendVarint(protowire.AppendTag(out, f.num, protowire.VarintType), v)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMisalignedData(t *testing.T) {
	want := []float64{1, math.Pi, -3}
	data := EncodeTensor("", tensor.Of([]int{3}, want))
	for shift := range 8 {
		at := append(make([]byte, shift), data...)[shift:]
		got, err := DecodeTensor(at)
		if err != nil || !slices.Equal(tensor.Data[float64](got), want) {
			t.Errorf("%d bytes on: %v, %v", shift, got, err)
		}
	}
}

func TestOrderOfNodes(t *testing.T) {
	m := textProto(t, "ModelProto", `ir_version: 8 opset_import { version: 13 } graph {
		node { op_type: "Neg" input: "b" output: "c" }
		node { op_type: "If" input: "cond" output: "d"
			attribute { name: "then_branch" type: GRAPH g { node { op_type: "Neg" input: "late" output: "t" } output { name: "t" } } }
			attribute { name: "else_branch" type: GRAPH g { output { name: "b" } } } }
		node { op_type: "Abs" input: "a" output: "b" }
		node { op_type: "Relu" input: "b" output: "late" }
		input { name: "a" } input { name: "cond" } output { name: "c" } output { name: "d" } }`)
	got, err := Decode(marshal(t, m), "")
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, n := range got.Graph.Nodes {
		ops = append(ops, n.Op)
	}
	if want := []string{"Abs", "Neg", "Relu", "If"}; !slices.Equal(ops, want) {
		t.Errorf("order %v, want %v", ops, want)
	}
}

func TestFormatVersionIsRaised(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(m *ir.Model)
		want int64
	}{
		{"nothing", func(*ir.Model) {}, 3},
		{"constant", func(m *ir.Model) {
			m.Graph.Consts = append(m.Graph.Consts, ir.NewConst("c", tensor.Scalar[float32](1)))
		}, 4},
		{"4-bit constant", func(m *ir.Model) {
			m.Graph.Consts = append(m.Graph.Consts, ir.NewConst("c", tensor.New(tensor.Int4, 2)))
		}, 10},
		{"2-bit attribute", func(m *ir.Model) {
			n := m.Graph.Nodes[0]
			n.Attrs = append(n.Attrs, ir.Attr{Name: "value", Value: tensor.New(tensor.Uint2, 2)})
		}, 13},
		{"function", func(m *ir.Model) {
			m.Functions = append(m.Functions, &ir.Function{Name: "f", Domain: "d", Body: &ir.Graph{}})
		}, 8},
		{"overload", func(m *ir.Model) { m.Graph.Nodes[0].Overload = "o" }, 10},
	} {
		m, err := Decode(marshal(t, textProto(t, "ModelProto", `ir_version: 3 opset_import { version: 7 }
			graph { node { op_type: "Abs" input: "a" output: "b" } input { name: "a" } output { name: "b" } }`)), "")
		if err != nil {
			t.Fatal(err)
		}
		c.edit(m)
		var out bytes.Buffer
		if err := Encode(&out, m); err != nil {
			t.Fatal(err)
		}
		if got := parseModel(t, out.Bytes()); got.Get(fieldOf(got, "ir_version")).Int() != c.want {
			t.Errorf("%s: version %v, want %d", c.name, got.Get(fieldOf(got, "ir_version")), c.want)
		}
	}
}
