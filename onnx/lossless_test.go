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
			survives(t, data, "")
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
