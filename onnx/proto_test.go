package onnx

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// schema is the official one, compiled from the .proto files of ONNX 1.22.
var schema = sync.OnceValue(func() *protoregistry.Files {
	reg := &protoregistry.Files{}
	for _, name := range []string{"onnx.binpb", "onnx-data.binpb"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			panic(err)
		}
		var p descriptorpb.FileDescriptorProto
		if err := proto.Unmarshal(b, &p); err != nil {
			panic(err)
		}
		f, err := protodesc.NewFile(&p, reg)
		if err != nil {
			panic(err)
		}
		if err := reg.RegisterFile(f); err != nil {
			panic(err)
		}
	}
	return reg
})

// newProto makes an empty message of the schema.
func newProto(name string) *dynamicpb.Message {
	d, err := schema().FindDescriptorByName(protoreflect.FullName("onnx." + name))
	if err != nil {
		panic(err)
	}
	return dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
}

func parseProto(t testing.TB, name string, data []byte) *dynamicpb.Message {
	t.Helper()
	m := newProto(name)
	if err := proto.Unmarshal(data, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func parseModel(t testing.TB, data []byte) *dynamicpb.Message {
	t.Helper()
	return parseProto(t, "ModelProto", data)
}

// textProto makes a message from the text form of protobuf.
func textProto(t testing.TB, name, text string) *dynamicpb.Message {
	t.Helper()
	m := newProto(name)
	if err := prototext.Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	return m
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func equalProtos(t *testing.T, want, got *dynamicpb.Message) {
	t.Helper()
	if proto.Equal(want, got) {
		return
	}
	a, b := strings.Split(prototext.Format(want), "\n"), strings.Split(prototext.Format(got), "\n")
	for i := range min(len(a), len(b)) {
		// prototext varies the spaces between fields on purpose.
		if strings.Join(strings.Fields(a[i]), " ") != strings.Join(strings.Fields(b[i]), " ") {
			t.Fatalf("line %d: read %s, wrote %s", i, clip(a[max(0, i-8):i+1]), clip(b[max(0, i-8):i+1]))
		}
	}
	t.Fatalf("read %d lines, wrote %d", len(a), len(b))
}

func clip(lines []string) string {
	s := strings.Join(lines, "\n")
	return s[:min(len(s), 2000)]
}

// normalise rewrites what is said in several ways but means the same: empty
// strings and absent ones, tensors in typed fields, raw data and external data,
// the order of value_info, the types of attributes of old files.
func normalise(t *testing.T, m *dynamicpb.Message, dir string) {
	n := &normaliser{t: t, dir: dir}
	n.message(m)
}

type normaliser struct {
	t      *testing.T
	dir    string
	noData bool // drop the elements of tensors
}

func (n *normaliser) message(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsList() && fd.Message() != nil:
			for i := range v.List().Len() {
				n.message(v.List().Get(i).Message())
			}
		case fd.Message() != nil:
			n.message(v.Message())
		case !fd.IsList() && fd.ContainingOneof() == nil && fd.Kind() == protoreflect.StringKind && v.String() == "":
			m.Clear(fd)
		}
		return true
	})
	switch m.Descriptor().Name() {
	case "TensorProto":
		n.tensor(m)
	case "GraphProto", "FunctionProto":
		sortInfos(m)
	case "Dimension":
		n.dimension(m)
	case "AttributeProto":
		n.attribute(m)
	case "ModelProto":
		if fd := fieldOf(m, "model_version"); m.Get(fd).Int() == 0 {
			m.Clear(fd)
		}
	}
}

func fieldOf(m protoreflect.Message, name string) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(protoreflect.Name(name))
}

func sortInfos(m protoreflect.Message) {
	fd := fieldOf(m, "value_info")
	if m.Get(fd).List().Len() == 0 {
		return
	}
	var all []protoreflect.Value
	old := m.Get(fd).List()
	for i := range old.Len() {
		all = append(all, old.Get(i))
	}
	name := func(v protoreflect.Value) string { return v.Message().Get(fieldOf(v.Message(), "name")).String() }
	slices.SortStableFunc(all, func(a, b protoreflect.Value) int { return strings.Compare(name(a), name(b)) })
	m.Clear(fd)
	for _, v := range all {
		m.Mutable(fd).List().Append(v)
	}
}

// dimension takes an unnamed symbol and a negative size for an unknown dimension.
func (n *normaliser) dimension(m protoreflect.Message) {
	if fd := fieldOf(m, "dim_param"); m.Has(fd) && m.Get(fd).String() == "" {
		m.Clear(fd)
	}
	if fd := fieldOf(m, "dim_value"); m.Has(fd) && m.Get(fd).Int() < 0 {
		m.Clear(fd)
	}
}

// attribute states the type where an old file leaves it to the value.
func (n *normaliser) attribute(m protoreflect.Message) {
	typ := fieldOf(m, "type")
	if m.Get(typ).Enum() == 0 && !m.Has(fieldOf(m, "ref_attr_name")) {
		for i, row := range attrRows {
			if row.num != 0 && m.Has(m.Descriptor().Fields().ByNumber(row.num)) {
				m.Set(typ, protoreflect.ValueOfEnum(protoreflect.EnumNumber(i)))
			}
		}
	}
	for _, scalar := range []struct {
		typ  protoreflect.EnumNumber
		name string
		zero protoreflect.Value
	}{
		{attrFloat, "f", protoreflect.ValueOfFloat32(0)},
		{attrInt, "i", protoreflect.ValueOfInt64(0)},
		{attrString, "s", protoreflect.ValueOfBytes(nil)},
	} {
		if fd := fieldOf(m, scalar.name); m.Get(typ).Enum() == scalar.typ && !m.Has(fd) {
			m.Set(fd, scalar.zero)
		}
	}
}

// tensor moves the elements to raw_data.
func (n *normaliser) tensor(m protoreflect.Message) {
	if n.noData {
		for _, name := range []string{"raw_data", "data_location", "external_data", "float_data", "int32_data", "int64_data"} {
			m.Clear(fieldOf(m, name))
		}
		return
	}
	typ := m.Get(fieldOf(m, "data_type")).Int()
	var raw []byte
	each := func(name string, f func(protoreflect.Value)) {
		fd := fieldOf(m, name)
		for i := range m.Get(fd).List().Len() {
			f(m.Get(fd).List().Get(i))
		}
		m.Clear(fd)
	}
	size := map[int64]int{2: 1, 3: 1, 4: 2, 5: 2, 9: 1, 10: 2, 16: 2, 17: 1, 18: 1, 19: 1, 20: 1, 21: 1, 22: 1, 23: 1, 24: 1, 25: 1, 26: 1, 12: 4}[typ]
	each("float_data", func(v protoreflect.Value) {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v.Float())))
	})
	each("double_data", func(v protoreflect.Value) {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v.Float()))
	})
	each("int64_data", func(v protoreflect.Value) { raw = binary.LittleEndian.AppendUint64(raw, uint64(v.Int())) })
	each("int32_data", func(v protoreflect.Value) {
		b := binary.LittleEndian.AppendUint32(nil, uint32(v.Int()))
		if size != 0 {
			b = b[:size]
		}
		raw = append(raw, b...)
	})
	each("uint64_data", func(v protoreflect.Value) {
		b := binary.LittleEndian.AppendUint64(nil, v.Uint())
		if size != 0 {
			b = b[:size]
		}
		raw = append(raw, b...)
	})
	if m.Get(fieldOf(m, "data_location")).Enum() == 1 {
		raw = n.external(m)
	}
	m.Clear(fieldOf(m, "data_location"))
	if len(raw) > 0 {
		m.Set(fieldOf(m, "raw_data"), protoreflect.ValueOfBytes(raw))
	} else if m.Get(fieldOf(m, "string_data")).List().Len() == 0 && typ != 8 && !m.Has(fieldOf(m, "raw_data")) {
		m.Set(fieldOf(m, "raw_data"), protoreflect.ValueOfBytes(nil))
	}
}

func (n *normaliser) external(m protoreflect.Message) []byte {
	fd := fieldOf(m, "external_data")
	where := map[string]string{}
	for i := range m.Get(fd).List().Len() {
		kv := m.Get(fd).List().Get(i).Message()
		where[kv.Get(fieldOf(kv, "key")).String()] = kv.Get(fieldOf(kv, "value")).String()
	}
	m.Clear(fd)
	f, err := os.Open(filepath.Join(n.dir, where["location"]))
	if err != nil {
		n.t.Fatal(err)
	}
	defer f.Close()
	offset, _ := strconv.ParseInt(where["offset"], 10, 64)
	length, _ := strconv.ParseInt(where["length"], 10, 64)
	raw := make([]byte, length)
	if _, err := f.ReadAt(raw, offset); err != nil {
		n.t.Fatal(err)
	}
	return raw
}

// fillSize is the size of the weights that a network without them should have.
func fillSize(t *testing.T, path string) int64 {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return 0
	}
	var m struct{ Bytes int64 }
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m.Bytes
}
