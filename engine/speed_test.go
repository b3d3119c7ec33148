package engine_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pare/engine"
	"pare/internal/assets"
	"pare/ir"
	"pare/onnx"
	"pare/tensor"
)

// speedNetworks are the architectures that speed is measured on.
var speedNetworks = []string{"resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "densenet121", "vit_b_16"}

// speedModel reads an architecture with weights drawn as its manifest says.
func speedModel(t testing.TB, name string) *ir.Model {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile(assets.Path(t, "speed/"+name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".onnx")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	drawWeights(t, assets.Path(t, "speed/"+name+".json"), dir)
	f, err := onnx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Model
}

// drawWeights writes the external data of an architecture.
func drawWeights(t testing.TB, manifest, dir string) {
	raw, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		File    string
		Bytes   int64
		Tensors []struct {
			Shape  []int
			Offset int64
			Fill   string
			Value  float64
		}
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, m.File))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, pos := bufio.NewWriterSize(out, 1<<20), int64(0)
	r := rand.New(rand.NewPCG(7, uint64(m.Bytes)))
	put := func(v float64) {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(float32(v)))
		w.Write(b[:])
		pos += 4
	}
	for _, x := range m.Tensors {
		for pos < x.Offset {
			put(0)
		}
		for range tensor.Len(x.Shape) {
			if x.Fill == "const" {
				put(x.Value)
			} else {
				put(r.NormFloat64() * x.Value)
			}
		}
	}
	for pos < m.Bytes {
		put(0)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// open compiles a model for one image.
func open(t testing.TB, m *ir.Model, o engine.Options) (*engine.Session, map[string]*tensor.Tensor) {
	t.Helper()
	p, err := engine.Compile(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return p.NewSession(), inputsOf(m, 1)
}
