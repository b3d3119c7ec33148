package demo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"pare/dataset"
	"pare/demo"
	"pare/ir"
	"pare/onnx"
	"pare/op"
	"pare/tensor"
)

// The embedded network, evaluated operator by operator on held-out pictures
// that dataset prepares, is right as often as when it was trained.
func TestAccuracy(t *testing.T) {
	const pictures, right = 200, 198
	b := held(t, pictures)
	out, err := op.Run(context.Background(), decode(t), map[string]op.Val{"input": b.Inputs[""]})
	if err != nil {
		t.Fatal(err)
	}
	logits, got := tensor.Float32s(out[0].(*tensor.Tensor)), 0
	for i, label := range b.Labels {
		if top(logits[i*len(demo.Classes):][:len(demo.Classes)]) == label {
			got++
		}
	}
	if got != right {
		t.Errorf("%d of %d pictures are right; recorded: %d", got, pictures, right)
	}
}

func top(z []float32) int {
	best := 0
	for i := range z {
		if z[i] > z[best] {
			best = i
		}
	}
	return best
}

// held is a batch of held-out pictures, read as users read them.
func held(t *testing.T, n int) dataset.Batch {
	t.Helper()
	path := filepath.Join(t.TempDir(), "held.bin")
	if err := os.WriteFile(path, demo.Data(n), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open("cifar10:" + path + "?" + demo.Prepare)
	if err != nil {
		t.Fatal(err)
	}
	b, err := set.Batch(context.Background(), 0, n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t *testing.T) *ir.Model {
	t.Helper()
	m, err := onnx.Decode(demo.Model(), "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The network has what the demonstration is to show, and says how its pictures
// are prepared.
func TestModel(t *testing.T) {
	m := decode(t)
	if err := ir.Check(m.Graph); err != nil {
		t.Fatal(err)
	}
	have := map[string]int{}
	for _, n := range m.Graph.Nodes {
		have[n.Op]++
		if n.Int("group", 1) > 1 {
			have["depthwise"]++
		}
	}
	for kind, least := range map[string]int{"Conv": 10, "depthwise": 3, "BatchNormalization": 10, "Clip": 2, "Relu": 2, "Add": 2, "Gemm": 1} {
		if have[kind] < least {
			t.Errorf("%d of %s, want at least %d", have[kind], kind, least)
		}
	}
	if got, _ := m.Meta("pare.data"); got != demo.Prepare {
		t.Errorf("the model says %q, the package %q", got, demo.Prepare)
	}
}

// Pictures depend on the seed and their index alone. The recorded digest is of
// those that the recorded accuracies were measured on.
func TestDrawIsFixed(t *testing.T) {
	const want = "eba71ceb723ce61161b085ce9d4af1f59f0cc73fb8ff29bee31a03d775bf15e8"
	data := demo.Data(100)
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
		t.Errorf("digest %x, recorded %s", sum, want)
	}
	if len(data) != 100*demo.Record || !bytes.Equal(data[:7*demo.Record], demo.Data(7)) {
		t.Error("the first pictures depend on how many are drawn")
	}
	if bytes.Equal(data[1:demo.Record], demo.Draw(demo.Held+1, 1)[1:]) {
		t.Error("another seed draws the same picture")
	}
}

// Every class is drawn about as often as the others.
func TestClasses(t *testing.T) {
	const n = 500
	count := make([]int, len(demo.Classes))
	data := demo.Data(n)
	for i := range n {
		count[data[i*demo.Record]]++
	}
	for c, k := range count {
		if k < n/len(count)/2 || k > n/len(count)*2 {
			t.Errorf("%d of %d pictures show a %s", k, n, demo.Classes[c])
		}
	}
}
