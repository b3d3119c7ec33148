package onnx

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// inGraph is a model with the given fields of its graph.
func inGraph(t *testing.T, text string) []byte {
	return marshal(t, textProto(t, "ModelProto", `ir_version: 10 opset_import { version: 13 } graph { `+text+` }`))
}

func TestHostileModels(t *testing.T) {
	deep := `node { op_type: "Abs" input: "x" output: "y" } output { name: "y" }`
	for range maxNesting + 1 {
		deep = `node { op_type: "If" input: "x" output: "y" attribute { name: "then_branch" type: GRAPH g { ` + deep + ` } } } output { name: "y" }`
	}
	deepType := `tensor_type { elem_type: 1 }`
	for range maxNesting + 1 {
		deepType = `sequence_type { elem_type { ` + deepType + ` } }`
	}
	for _, c := range []struct{ text, want string }{
		{`node { op_type: "Abs" input: "nobody" output: "y" name: "n7" }`, `Abs "n7": it reads "nobody", which nothing produces`},
		{`node { op_type: "Abs" input: "b" output: "a" } node { op_type: "Abs" input: "a" output: "b" }`, "cycle"},
		{`node { op_type: "Abs" input: "a" output: "a" }`, "cycle"},
		{`node { op_type: "If" input: "y" output: "y" }`, "cycle"},
		{`node { op_type: "Loop" output: "y" attribute { name: "body" type: GRAPH g { output { name: "y" } } } }`, "cycle"},
		{`node { op_type: "Abs" output: ["y", "y"] }`, `"y" is defined twice`},
		{`input { name: "x" } node { op_type: "Abs" input: "x" output: "x" }`, `"x" is defined twice`},
		{`input { name: "x" } input { name: "x" }`, `"x" is defined twice`},
		{`input { }`, "without a name"},
		{`node { output: "y" }`, "no operator"},
		{`output { name: "y" }`, `"y" of the graph is never produced`},
		{`initializer { name: "w" data_type: 1 dims: 2 raw_data: "1234" }`, `tensor "w": f32[2] needs 8 bytes of data, 4 present`},
		{`initializer { name: "w" data_type: 1 dims: 1 raw_data: "12345678" }`, `needs 4 bytes`},
		{`initializer { name: "w" data_type: 1 dims: 2 }`, `needs 8 bytes`},
		{`initializer { name: "w" data_type: 1 dims: -1 }`, `negative dimension`},
		{`initializer { name: "w" data_type: 1 dims: [4294967296, 4294967296] }`, `too many elements`},
		{`initializer { name: "w" data_type: 11 dims: 288230376151711744 }`, `too many elements`},
		{`initializer { name: "w" data_type: 22 dims: 4611686018427387904 }`, `too many elements`},
		{`initializer { name: "w" data_type: 99 dims: 1 }`, `unknown element type 99`},
		{`initializer { name: "w" data_type: -1 dims: 1 }`, `unknown element type -1`},
		{`initializer { name: "w" dims: 1 raw_data: "1" }`, `no element type`},
		{`initializer { name: "w" data_type: 1 dims: 1 int32_data: 5 }`, `f32 in data field 5`},
		{`initializer { name: "w" data_type: 1 dims: 1 float_data: 5 raw_data: "1234" }`, `both raw and typed`},
		{`initializer { name: "w" data_type: 8 dims: 2 string_data: "a" }`, `needs 2 strings, 1 present`},
		{`initializer { name: "w" data_type: 8 dims: 1 raw_data: "a" }`, `strings`},
		{`initializer { name: "w" data_type: 1 } initializer { name: "w" data_type: 1 }`, `needs 4 bytes`},
		{`initializer { name: "w" data_type: 2 raw_data: "a" } initializer { name: "w" data_type: 2 raw_data: "a" }`, `"w" occurs twice`},
		{`input { name: "w" type { tensor_type { elem_type: 1 } } } initializer { name: "w" data_type: 2 raw_data: "a" }`, `contradicts`},
		{`initializer { name: "w" data_type: 1 dims: 1 segment { end: 1 } }`, `segments`},
		{`initializer { name: "w" data_type: 1 dims: 1 data_location: EXTERNAL external_data { key: "location" value: "f" } }`, `another file, which is not allowed`},
		{`sparse_initializer { dims: 1099511627776 values { name: "w" data_type: 1 dims: 0 } indices { data_type: 7 dims: 0 } }`, `expand to more`},
		{`sparse_initializer { dims: 4 values { name: "w" data_type: 2 dims: 1 raw_data: "a" } indices { data_type: 7 dims: 1 int64_data: 4 } }`, `outside shape`},
		{`sparse_initializer { dims: 4 values { name: "w" data_type: 2 dims: 1 raw_data: "a" } indices { data_type: 7 dims: 1 int64_data: -1 } }`, `outside shape`},
		{`sparse_initializer { dims: 4 values { name: "w" data_type: 2 dims: 1 raw_data: "a" } }`, `without values or indices`},
		{`node { op_type: "A" attribute { name: "a" type: INT i: 1 } attribute { name: "a" type: INT i: 1 } }`, `"a" occurs twice`},
		{`node { op_type: "A" attribute { name: "a" type: TENSOR } }`, `attribute "a": type 4 without a value`},
		{`node { op_type: "A" attribute { name: "a" type: GRAPH g { output { name: "q" } } } }`, `"q" of the graph is never produced`},
		{`value_info { name: "y" type { tensor_type { elem_type: 99 } } }`, `type of value "y": unknown element type 99`},
		{`input { name: "x" type { tensor_type { elem_type: 1 } } } output { name: "x" type { tensor_type { elem_type: 2 } } }`, `"x" is described twice`},
		{`input { name: "x" } ` + deep, "nested more than"},
		{`input { name: "x" type { ` + deepType + ` } }`, "nested more than"},
		{`input { name: "x" type { tensor_type { elem_type: 1 shape { ` + strings.Repeat("dim {} ", maxRank+1) + ` } } } }`, "more than 1024 dimensions"},
	} {
		_, err := Decode(inGraph(t, c.text), "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s\n\tgives %v\n\twant  %s", c.text, err, c.want)
		}
	}
}

func TestHostileSurroundings(t *testing.T) {
	body := ` graph { name: "g" }`
	for _, c := range []struct{ text, want string }{
		{`ir_version: 8`, "there is no graph"},
		{`opset_import { version: 0 }` + body, `operator set "" has version 0`},
		{`opset_import { version: -1 }` + body, `version -1`},
		{`opset_import { version: 9 } opset_import { domain: "ai.onnx" version: 9 }` + body, `imported twice`},
		{`functions { name: "f" } functions { name: "f" }` + body, `function "f" is defined twice`},
		{`functions { name: "f" output: "y" }` + body, `function "f": result "y" is never produced`},
		{`functions { name: "f" input: ["x", "x"] }` + body, `"x" is defined twice`},
		{`functions { name: "f" node { op_type: "A" input: "outside" } } graph { input { name: "outside" } }`, `"outside", which nothing produces`},
	} {
		_, err := Decode(marshal(t, textProto(t, "ModelProto", c.text)), "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n\tgives %v\n\twant  %s", c.text, err, c.want)
		}
	}
}

// TestDamagedFiles cuts a model off everywhere and flips every byte: there may
// be an error, but nothing else.
func TestDamagedFiles(t *testing.T) {
	good := marshal(t, textProto(t, "ModelProto", everything))
	for n := range good {
		if _, err := Decode(good[:n], ""); err == nil && n < len(good)/8 {
			t.Errorf("the first %d of %d bytes are a model", n, len(good))
		}
		bad := bytes.Clone(good)
		bad[n] ^= 1 << (n % 8)
		if m, err := Decode(bad, ""); err == nil {
			var out bytes.Buffer
			if err := Encode(&out, m); err != nil {
				t.Errorf("byte %d flipped: read but not written: %v", n, err)
			}
		}
	}
}

// TestWireDamage holds the messages about what is no protobuf at all.
func TestWireDamage(t *testing.T) {
	sub := func(num protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
	}
	graph := func(b []byte) []byte { return sub(7, b) }
	typed := func(b []byte) []byte { return graph(sub(11, append(sub(1, []byte("x")), sub(2, b)...))) }
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "empty"},
		{[]byte("\x89PNG\r\n"), "damaged"},
		{[]byte{0}, "damaged at byte 0"},
		{[]byte{7<<3 | 2, 200}, "damaged at byte 0 of 2: unexpected EOF"},
		{graph([]byte{1<<3 | 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}), "damaged"},
		{graph([]byte{1<<3 | 3}), "damaged"},
		{typed(append(sub(4, nil), sub(1, nil)...)), `type of value "x": a type of several kinds`},
		{typed(sub(9, append(sub(1, nil), sub(1, nil)...))), "a type with several element types"},
		{graph([]byte{2<<3 | 0, 1}), "field 2 has wire type 0, not 2"},
		{graph(bytes.Repeat([]byte{100<<3&0x7f | 3}, 20000)), "damaged"},
	} {
		if _, err := Decode(c.data, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("% x gives %v, want %s", c.data[:min(len(c.data), 16)], err, c.want)
		}
	}
}

// TestMemoryIsBounded reads models made to blow up and looks at what that
// allocates for each byte.
func TestMemoryIsBounded(t *testing.T) {
	many := func(text string, n int) []byte {
		one := marshal(t, textProto(t, "GraphProto", text))
		m := textProto(t, "ModelProto", `ir_version: 10 opset_import { version: 13 }`)
		g := bytes.Repeat(one, n)
		return append(marshal(t, m), protowire.AppendBytes(protowire.AppendTag(nil, 7, protowire.BytesType), g)...)
	}
	const n = 5000
	for name, data := range map[string][]byte{
		"nodes":       many(`node { op_type: "A" }`, n),
		"attributes":  inGraph(t, `node { op_type: "A" `+attrsNamed(n)+` }`),
		"readers":     inGraph(t, `input { name: "x" } `+strings.Repeat(`node { op_type: "A" input: "x" } `, n)),
		"sub-graphs":  inGraph(t, `input { name: "x" } `+strings.Repeat(`node { op_type: "A" attribute { name: "g" type: GRAPH g { output { name: "x" doc_string: "d" } } } } `, n)),
		"outputs":     inGraph(t, `input { name: "x" } `+strings.Repeat(`output { name: "x" doc_string: "d" } `, n)),
		"value infos": inGraph(t, strings.Repeat(`value_info { name: "x" } `, n)),
		"metadata":    inGraph(t, strings.Repeat(`metadata_props { } `, n)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Decode(data, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var out bytes.Buffer
		if err := Encode(&out, m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		runtime.ReadMemStats(&after)
		if per := (after.TotalAlloc - before.TotalAlloc) / uint64(len(data)); per > 500 {
			t.Errorf("%s: %d bytes allocated for each byte of the file", name, per)
		}
	}
}

func attrsNamed(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "attribute { name: 'a%d' type: INT } ", i)
	}
	return b.String()
}

func TestOpenNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.onnx")
	if err := os.WriteFile(bad, inGraph(t, `output { name: "y" }`), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.onnx")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{bad, bad + `: output "y" of the graph is never produced`},
		{empty, empty + ": the file is empty: this is no ONNX model"},
		{filepath.Join(dir, "none.onnx"), filepath.Join(dir, "none.onnx") + ": no such file or directory"},
		{dir, dir + ": not a regular file"},
	} {
		if _, err := Open(c.path); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
