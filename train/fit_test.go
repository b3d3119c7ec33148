package train_test

import (
	"context"
	"testing"

	"pare/grad/optim"
	"pare/train"
)

var momentum = optim.Options{Momentum: 0.9, Nesterov: true}

// scratch are options that train the small network from random weights.
func scratch() train.Options {
	return train.Options{Steps: 240, Batch: 32, Rate: 0.05, Decay: 1e-4, Held: 100, Seed: 1, Threads: 2, Optim: momentum}
}

// A small network learns a task from scratch.
func TestFromScratch(t *testing.T) {
	m := net(t, "N")
	r, err := train.Fit(context.Background(), m, data(1000), scratch(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Start.Right > 0.5 || r.End.Right < 0.95 || r.Best == 0 || r.Steps != 240 || r.End.Samples != 100 {
		t.Errorf("from %+v to %+v: %+v", r.Start, r.End, r)
	}
}
