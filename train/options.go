package train

import (
	"fmt"

	"pare/grad/optim"
	"pare/ir"
)

// Options say how a network is trained. Zeros stand for what the comments say.
type Options struct {
	Steps     int // of the whole training, which the schedule goes by
	Batch     int // samples per step; 0 for 64, at most those there are
	Optimizer string
	Optim     optim.Options
	Rate      float64        // full rate
	Schedule  optim.Schedule // nil for the cosine
	Decay     float64        // weight decay of weights with two axes or more
	Clip      float64        // largest norm of all gradients together, 0 for any
	Freeze    bool           // batch-norms keep their statistics and normalise by them

	// Teacher is a network whose outputs are aimed at, nil for none; it is not changed.
	// Distil is the share of the loss that is the distance from it, 1 where there are
	// no labels.
	Teacher     *ir.Model
	Distil      float64
	Temperature float64 // of the distance of classes; 0 for 4
	Distance    string  // one of Distances; "" for auto

	Augment Augment
	// FreeZeros lets weights that are zero at the start leave it; else pruned weights
	// stay so.
	FreeZeros bool
	// Skip says which constants are not learned; nil for none.
	Skip func(v *ir.Value) bool
	// Held is how many samples are kept apart to measure on; negative for a tenth,
	// 1,000 at most.
	Held    int
	Seed    uint64
	Threads int   // results do not depend on it
	Memory  int64 // bytes for activations; 0 for 512 MiB
	// Progress is told after every step; nil for nobody.
	Progress func(done, steps int, loss float64)
}

// The default sizes.
const (
	defaultBatch       = 64
	defaultTemperature = 4
	defaultMemory      = 512 << 20
	mostHeld           = 1000
)

func (o Options) defaults() Options {
	if o.Optimizer == "" {
		o.Optimizer = "sgd"
	}
	if o.Schedule == nil {
		o.Schedule = optim.Cosine
	}
	if o.Batch == 0 {
		o.Batch = defaultBatch
	}
	if o.Temperature == 0 {
		o.Temperature = defaultTemperature
	}
	if o.Distance == "" {
		o.Distance = "auto"
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	o.Threads = max(o.Threads, 1)
	o.Optim.Threads = o.Threads
	return o
}

func (o Options) check() error {
	switch {
	case o.Steps < 1:
		return fmt.Errorf("%d steps of training", o.Steps)
	case o.Batch < 1:
		return fmt.Errorf("%d samples per step", o.Batch)
	case !(o.Rate > 0) || o.Rate > 1e3:
		return fmt.Errorf("a rate of %v", o.Rate)
	case o.Decay < 0 || o.Clip < 0:
		return fmt.Errorf("decay %v and clip %v are not negative", o.Decay, o.Clip)
	case !(o.Distil >= 0 && o.Distil <= 1):
		return fmt.Errorf("the teacher's share %v is in [0, 1]", o.Distil)
	case !(o.Temperature > 0):
		return fmt.Errorf("a temperature of %v", o.Temperature)
	}
	return o.Augment.check()
}
