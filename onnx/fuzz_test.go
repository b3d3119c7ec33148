package onnx

import (
	"archive/zip"
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"pare/internal/assets"
	"pare/tensor"
)

// FuzzDecode reads arbitrary bytes as a model. What is read can be written, and
// then reads as the same bytes again.
func FuzzDecode(f *testing.F) {
	f.Add(marshal(f, textProto(f, "ModelProto", everything)))
	sprinkled := textProto(f, "ModelProto", everything)
	sprinkle(sprinkled)
	f.Add(marshal(f, sprinkled))
	for _, c := range elementCases {
		f.Add(marshal(f, textProto(f, "ModelProto", `ir_version: 13 opset_import { version: 21 } graph { initializer { name: "w" `+c.text+` } }`)))
	}
	for _, data := range smallModels(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data, "")
		if err != nil {
			return
		}
		var once, twice bytes.Buffer
		if err := Encode(&once, m); err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		again, err := Decode(once.Bytes(), "")
		if err != nil {
			t.Fatalf("written but not read: %v", err)
		}
		if err := Encode(&twice, again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatal("writing what was written gives other bytes")
		}
	})
}

// FuzzDecodeTensor reads arbitrary bytes as a tensor.
func FuzzDecodeTensor(f *testing.F) {
	for _, c := range elementCases {
		f.Add(marshal(f, textProto(f, "TensorProto", c.text)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := DecodeTensor(data)
		if err != nil {
			return
		}
		y, err := DecodeTensor(EncodeTensor("x", x))
		if err != nil || !tensor.Equal(x, y) {
			t.Fatalf("%v becomes %v: %v", x, y, err)
		}
	})
}

// smallModels are models of the official suite, a few of every kind, where it
// is at hand.
func smallModels(f *testing.F) (out [][]byte) {
	z, err := zip.OpenReader(filepath.Join(assets.Dir(), "conformance", "onnx-1.22.0.zip"))
	if err != nil {
		return nil
	}
	defer z.Close()
	for i, file := range z.File {
		if !strings.HasSuffix(file.Name, "/model.onnx") || file.UncompressedSize64 > 4000 || i%20 != 0 {
			continue
		}
		r, err := file.Open()
		if err != nil {
			f.Fatal(err)
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}
