package pare

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/internal/fault"
	"pare/ir"
	"pare/sense"
)

// SensitivityOptions say how the sensitivity of layers is measured.
type SensitivityOptions struct {
	Bits    int         // of weights, 2 to 8; 0 for 4
	Data    dataset.Set // nil for what calib.Noise makes up within the input's range
	Samples int         // at most so many; 0 for 64
	// Input declares the range of the network's input, for runs without data. Empty
	// takes that of Preparation.
	Input    compress.InputRange
	Threads  int // results do not depend on it
	Seed     uint64
	Progress Progress
}

// Defaults of SensitivityOptions.
const (
	DefaultSensitivityBits    = 4
	DefaultSensitivitySamples = 64
)

// Sensitivity says what quantising the weights of each layer alone costs.
type Sensitivity = sense.Result

func (o SensitivityOptions) filled() SensitivityOptions {
	if o.Bits == 0 {
		o.Bits = DefaultSensitivityBits
	}
	if o.Samples == 0 {
		o.Samples = DefaultSensitivitySamples
	}
	return o
}

// Sensitivity quantises the weights of each layer alone and says how much the loss
// grows, beside estimates of that from gradients; it does not change the model.
func (m *Model) Sensitivity(ctx context.Context, o SensitivityOptions) (*Sensitivity, error) {
	o = o.filled()
	if err := sense.Check(o.Bits, o.Samples); err != nil {
		return nil, err
	}
	work, err := m.plain(ctx, 0)
	if err != nil {
		return nil, named(m.path, err)
	}
	set, from := o.Data, "given"
	if set == nil {
		if set, err = m.madeUp(work, o); err != nil {
			return nil, named(m.path, err)
		}
		from = "made up within the range of the input"
	}
	run := calib.Data{Set: set, Samples: o.Samples, Batch: calibBatch, Run: newRunner(ctx, o.Threads), Inputs: bind}
	out, err := sense.Run(ctx, work, sense.Options{Bits: o.Bits, Data: run, Threads: o.Threads, Seed: o.Seed, Progress: o.Progress})
	if err != nil {
		return nil, named(m.path, err)
	}
	out.Data = from
	return out, nil
}

// madeUp are samples for a network of which nothing is known but the range of its input.
func (m *Model) madeUp(work *ir.Model, o SensitivityOptions) (dataset.Set, error) {
	r := o.Input
	if r.Lo == nil {
		var err error
		if r, err = m.InputRange(""); err != nil {
			return nil, err
		}
	}
	set, err := calib.Noise(work, r.Lo, r.Hi, o.Samples, o.Seed)
	if err != nil {
		err = fault.Hint(fmt.Errorf("no samples can be made up: %w", err), "name some with --data")
	}
	return set, err
}
