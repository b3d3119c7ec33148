package cost_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"pare/cost"
	"pare/internal/assets"
	"pare/onnx"
	"pare/op"
)

// TestReal counts every real network: what is left is no more than what there was,
// sums agree with their parts, and threads do not matter.
func TestReal(t *testing.T) {
	dir := assets.Dir()
	if dir == "" {
		t.Skip("no assets")
	}
	var files []string
	for _, sub := range []string{"*.onnx", "*/*.onnx", "*/*/*.onnx"} {
		found, err := filepath.Glob(filepath.Join(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, path := range files {
		f, err := onnx.Open(path)
		if err != nil {
			continue // hostile and unusual files, which package onnx tests
		}
		m := f.Model
		one, two := new(cost.Counter).Of(m, 1), new(cost.Counter).Of(m, 2)
		if !reflect.DeepEqual(one, two) {
			t.Errorf("%s: counts depend on threads", path)
		}
		var sum, macs int64
		for _, l := range one.Layers {
			if l.Multiplications > l.MACs || l.Products > l.NonZero || l.Distinct > l.Kernels {
				t.Errorf("%s: %+v", path, l)
			}
			sum += l.Multiplications
		}
		if _, err := op.Infer(m); err == nil {
			for _, n := range m.Graph.Nodes {
				k, _ := op.MACs(n)
				macs += k
			}
			if macs != one.MACs {
				t.Errorf("%s: %d multiply-accumulates, want %d", path, one.MACs, macs)
			}
		}
		if sum != one.Multiplications || one.Additions < 0 {
			t.Errorf("%s: %+v", path, one.Totals)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 20 {
		t.Errorf("only %d files", len(files))
	}
}
