package pare_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"pare"
	"pare/ir"
	"pare/tensor"
)

// network is a layer with a sum of its outputs, as text; programs load a file.
const network = `
opset 17
graph small(x f32[N,4]) -> (y) {
  const w = f32[2,4]{0.5, -1, 0.25, 0.125, 1, 0.75, -0.5, 0.25}
  a = Gemm(x, w, _) {transB=1} @dense
  y f32[N,2] = Relu(a) @relu
}
`

func small() *pare.Model {
	m, err := ir.Parse(strings.NewReader(network))
	if err != nil {
		log.Fatal(err)
	}
	m.IRVersion = 8
	return pare.New(m)
}

// Compress a network and write it.
func Example() {
	ctx := context.Background()
	m := small()
	report, err := m.Compress(ctx, "uniform(w=8)", pare.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range report.Layers {
		fmt.Println(l.Name, l.Format)
	}
	dir, err := os.MkdirTemp("", "pare")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if _, err := m.Save(filepath.Join(dir, "small.onnx"), pare.SaveOptions{}); err != nil {
		log.Fatal(err)
	}
	// Output: dense int8/channel
}

// Run a network.
func ExampleModel_NewSession() {
	ctx := context.Background()
	s, err := small().NewSession(ctx, pare.SessionOptions{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	out, err := s.Run(ctx, map[string]*tensor.Tensor{"x": tensor.Of([]int{1, 4}, []float32{1, 1, 2, 4})})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tensor.Data[float32](out["y"]))
	// Output: [0.5 1.75]
}

// Find out what a compression did to every layer.
func ExampleModel_Compare() {
	ctx := context.Background()
	original := small()
	m := original.Clone()
	if _, err := m.Compress(ctx, "uniform(w=8)", pare.Options{}); err != nil {
		log.Fatal(err)
	}
	drift, err := m.Compare(ctx, original, pare.CompareOptions{Random: pare.Random{Batch: 16}})
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range drift.Layers {
		fmt.Println(l.Name, l.SNR > 30)
	}
	// Output: dense true
}

// List what can be compressed.
func ExampleModel_Inspect() {
	doc, err := small().Inspect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range doc.Layers {
		fmt.Println(l.Name, l.Kind, l.Params, l.Compressible)
	}
	// Output: dense dense 8 true
}
