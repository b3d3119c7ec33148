package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pare/demo"
	"pare/tensor"
	"pare/x/ort"
)

func TestInterleave(t *testing.T) {
	var order []byte
	note := func(c byte) runner {
		return func(map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
			order = append(order, c)
			return nil, nil
		}
	}
	a, b, err := interleave(3, wall, nil, note('a'), note('b'))
	if err != nil || len(a) != 3 || len(b) != 3 {
		t.Fatal(a, b, err)
	}
	if string(order) != "abbaab" {
		t.Errorf("order %s", order)
	}
}

func TestSummary(t *testing.T) {
	r := summary([]float64{1, 2, 4}, []float64{2, 6, 4})
	if r.pare != 2 || r.ort != 4 || r.ratio != 2 || r.interval != [2]float64{1, 3} {
		t.Error(r)
	}
}

func TestMeasure(t *testing.T) {
	if _, err := ort.Version(); errors.Is(err, ort.ErrNoLibrary) {
		t.Skipf("SKIPPED: %v", err)
	}
	path := filepath.Join(t.TempDir(), "demo.onnx")
	if err := os.WriteFile(path, demo.Model(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := measure(context.Background(), path, 1, 3, wall)
	if err != nil || r.pare <= 0 || r.ort <= 0 {
		t.Fatal(r, err)
	}
	t.Log(r)
}
