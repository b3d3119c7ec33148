package onnx

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
			survives(t, data, withWeights(t, path))
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

// withWeights returns the folder of a model. Where its weights are missing it is
// a folder with files of zeros in their place.
func withWeights(t *testing.T, path string) string {
	base := strings.TrimSuffix(path, ".onnx")
	size := fillSize(t, base+".json")
	if size == 0 {
		return filepath.Dir(path)
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, filepath.Base(base)+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return dir
}
