package main

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"pare"
	"pare/internal/assets"
)

// TestBitOperations holds the count of ResNet-20 against widths that are the
// same in all its layers: 40,551,040 multiply-accumulates.
func TestBitOperations(t *testing.T) {
	original, err := pare.Load(assets.Path(t, filepath.FromSlash("cifar10/resnet20.onnx")))
	if err != nil {
		t.Fatal(err)
	}
	defer original.Close()
	input, err := original.InputRange(cifar)
	if err != nil {
		t.Fatal(err)
	}
	const macs = 40551040
	for recipe, want := range map[string]float64{
		"copy":                        macs * 16 * 16,
		"fold+uniform(w=4,a=8)":       macs * 4 * 8,
		"fold+uniform(w=3)":           macs * 3 * 16,
		"fold+spiq+uniform+correct":   macs * 8 * 16,
		"fold+rex(budget=1.5)":        macs * 4 * 16 * 1.5,
		"fold+uniform(w=8,a=4);*:w=2": macs * 2 * 4,
	} {
		m := original.Clone()
		rep, err := m.Compress(context.Background(), recipe, pare.Options{Input: input})
		if err != nil {
			t.Errorf("%s: %v", recipe, err)
			continue
		}
		got, err := bitOperations(context.Background(), m, rep)
		if err != nil || got == nil || math.Abs(*got/want-1) > 0.01 {
			t.Errorf("%s: %v bit-operations, %v; want %g", recipe, got, err, want)
		}
	}
}
