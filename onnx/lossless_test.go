package onnx

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/dynamicpb"

	"pare/internal/assets"
	"pare/ir"
)

func TestNetworksSurvive(t *testing.T) {
	root := filepath.Dir(assets.Path(t, "manifest.json"))
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".onnx" {
			return err
		}
		t.Run(filepath.ToSlash(strings.TrimPrefix(path, root)), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if size := fillSize(t, strings.TrimSuffix(path, ".onnx")+".json"); size > 0 {
				survivesWithout(t, data, path, size)
				return
			}
			survives(t, data, filepath.Dir(path))
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestConformanceModelsSurvive(t *testing.T) {
	eachCase(t, func(t *testing.T, data []byte) { survives(t, data, "") })
}

// TestTextFormIsLossless takes the way over the text form of the graph, which
// must not lose anything that the file holds.
func TestTextFormIsLossless(t *testing.T) {
	through := func(t *testing.T, data []byte) {
		m, err := Decode(data, "")
		if err != nil {
			t.Fatal(err)
		}
		var text, want, got bytes.Buffer
		if err := ir.Print(&text, m); err != nil {
			t.Fatal(err)
		}
		parsed, err := ir.Parse(&text)
		if err != nil {
			t.Fatal(err)
		}
		if err := Encode(&want, m); err != nil {
			t.Fatal(err)
		}
		if err := Encode(&got, parsed); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want.Bytes(), got.Bytes()) {
			equalProtos(t, parseModel(t, want.Bytes()), parseModel(t, got.Bytes()))
			t.Error("other bytes for an equal model")
		}
	}
	through(t, marshal(t, textProto(t, "ModelProto", everything)))
	eachCase(t, through)
}

// eachCase runs a test on every model of the official suite.
func eachCase(t *testing.T, test func(t *testing.T, data []byte)) {
	z, err := zip.OpenReader(assets.Path(t, "conformance/onnx-1.22.0.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	n := 0
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, "/model.onnx") {
			continue
		}
		n++
		t.Run(strings.TrimSuffix(f.Name, "/model.onnx"), func(t *testing.T) {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			test(t, data)
		})
	}
	if n < 1000 {
		t.Errorf("only %d models in the suite", n)
	}
}

// survives reads a model, writes it, and compares what was written with what
// was read, as the official schema sees both.
func survives(t *testing.T, data []byte, dir string) {
	t.Helper()
	m, err := Decode(data, dir)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	want, got := parseModel(t, data), parseModel(t, out.Bytes())
	normalise(t, want, dir)
	normalise(t, got, "")
	equalProtos(t, want, got)
	again, err := Decode(out.Bytes(), "")
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := Encode(&second, again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), second.Bytes()) {
		t.Error("writing what was written gives other bytes")
	}
}

// survivesWithout is survives for a network without its weights, zeros in
// their place: all but the data of tensors is compared.
func survivesWithout(t *testing.T, data []byte, path string, size int64) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	weights := strings.TrimSuffix(path, ".onnx") + ".bin"
	if err := os.WriteFile(weights, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(weights, size); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Bytes != int64(len(data))+size {
		t.Errorf("%d bytes, want %d", f.Bytes, int64(len(data))+size)
	}
	out, err := encode(f.Model, dataFile(path, 1), maxFile)
	if err != nil {
		t.Fatal(err)
	}
	want, got := parseModel(t, data), parseModel(t, out.flat())
	for _, m := range []*dynamicpb.Message{want, got} {
		(&normaliser{t: t, noData: true}).message(m)
	}
	equalProtos(t, want, got)
}
