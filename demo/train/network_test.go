package main

import (
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// fitted is a network after a few steps of training.
func fitted(t *testing.T, pictures, epochs, threads int) (*ir.Model, float64) {
	t.Helper()
	m, right, err := trained(context.Background(), options{seed: 3, pictures: pictures, epochs: epochs, threads: threads, log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return m, right
}

// The same seed gives the same weights with any number of threads.
func TestThreadsDoNotMatter(t *testing.T) {
	one, _ := fitted(t, 96, 1, 1)
	many, _ := fitted(t, 96, 1, 3)
	for i, v := range one.Graph.Consts {
		if w := many.Graph.Consts[i]; v.Name != w.Name || !tensor.Equal(v.Const, w.Const) {
			t.Fatalf("%s differs", v.Name)
		}
	}
}

// A network that has seen some pictures a few times gets others right; with
// random weights it would be one in ten.
func TestLearns(t *testing.T) {
	m, right := fitted(t, 960, 5, 2)
	if right < 0.2 {
		t.Errorf("%.0f %% of the held-out pictures are right", 100*right)
	}
	if err := ir.Check(m.Graph); err != nil {
		t.Fatal(err)
	}
}

// The graph is complete before it is trained.
func TestNetwork(t *testing.T) {
	m := network(rand.New(rand.NewPCG(1, 0)))
	if err := ir.Check(m.Graph); err != nil {
		t.Fatal(err)
	}
	if _, err := op.InferWith(m, op.InferOptions{Strict: true}); err != nil {
		t.Fatal(err)
	}
}
