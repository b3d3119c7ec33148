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

// TestBitOperationsOfOpenSizes: MiniLM leaves the length of sentences open. A
// token costs 10,616,832 multiply-accumulates in six layers, those of the pooler
// aside, which reads the first token of a sentence.
func TestBitOperationsOfOpenSizes(t *testing.T) {
	n := datafreeNetworks()[len(datafreeNetworks())-1]
	assets.Path(t, filepath.FromSlash(n.file))
	trial, err := newTrial(context.Background(), n, wishes{samples: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer trial.close()
	b, err := trial.data.Batch(context.Background(), 0, sizedBatch)
	if err != nil {
		t.Fatal(err)
	}
	m := trial.original.Clone()
	rep, err := m.Compress(context.Background(), "copy", pare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := trial.bitOperations(context.Background(), m, rep)
	if err != nil || got == nil {
		t.Fatalf("%v bit-operations, %v", got, err)
	}
	tokens := float64(b.Inputs["input_ids"].Shape[1] * 2) // of a pair
	want := tokens * 10616832 * 16 * 16
	if *got < want || *got > want*1.01 {
		t.Errorf("%g bit-operations, want %g and the pooler", *got, want)
	}
}
