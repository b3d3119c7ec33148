package compress

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pare/calib"
	"pare/dataset"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// probeSamples are run after every step that is measured: the ratio of energies
// moves little with more.
const probeSamples = 4

// probe runs a network on a few samples and compares its outputs with those that it
// had at first.
type probe struct {
	run    calib.NewRunner
	inputs []map[string]*tensor.Tensor // by batch
	want   [][]float32                 // by batch and output
	sum    Output                      // without the ratio
}

func newProbe(ctx context.Context, m *ir.Model, o Options) (*probe, error) {
	if o.Run == nil {
		return nil, errors.New("there is no means to run networks")
	}
	p := &probe{run: o.Run}
	if err := p.gather(ctx, m, o); err != nil {
		return nil, err
	}
	var err error
	if p.want, err = p.outputs(ctx, m); err != nil {
		return nil, err
	}
	return p, nil
}

// apart makes other samples up than those that methods fit weights to.
const apart = 0x9e3779b97f4a7c15

// gather takes samples from the calibration data; without data it makes pictures
// up, and where it is not known what inputs look like, random numbers.
func (p *probe) gather(ctx context.Context, m *ir.Model, o Options) error {
	batch := probeSamples
	if fixed := ir.FixedBatch(m.Graph.Inputs); fixed > 0 {
		batch = fixed
	}
	n := max(probeSamples/batch, 1) * batch
	p.sum.Samples = n
	if d := o.Data; d != nil && d.Set.Len() >= n {
		p.sum.Basis = "calibration data"
		inputs := d.Inputs
		if inputs == nil {
			inputs = calib.DefaultInputs
		}
		return p.take(ctx, m, d.Set, inputs, batch)
	}
	if set, err := calib.Noise(m, o.Input.Lo, o.Input.Hi, n, o.Seed^apart); err == nil {
		p.sum.Basis = "synthetic inputs"
		return p.take(ctx, m, set, calib.DefaultInputs, batch)
	}
	if o.Random == nil {
		return errors.New("there are no samples to run it on")
	}
	p.sum.Basis = "random inputs"
	in, err := o.Random(m, n)
	p.inputs = append(p.inputs, in)
	return err
}

// take reads the samples of a set.
func (p *probe) take(ctx context.Context, m *ir.Model, set dataset.Set, inputs func(*ir.Model, dataset.Batch) (map[string]*tensor.Tensor, error), batch int) error {
	for lo := 0; lo < p.sum.Samples; lo += batch {
		b, err := set.Batch(ctx, lo, lo+batch)
		if err != nil {
			return err
		}
		in, err := inputs(m, b)
		if err != nil {
			return err
		}
		p.inputs = append(p.inputs, in)
	}
	return nil
}

// outputs runs the network.
func (p *probe) outputs(ctx context.Context, m *ir.Model) ([][]float32, error) {
	run, err := p.run(m, m.Graph.Outputs)
	if err != nil {
		return nil, err
	}
	var out [][]float32
	for _, in := range p.inputs {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		results, err := run.Run(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, t := range results {
			out = append(out, slices.Clone(tensor.Float32s(t)))
		}
	}
	return out, nil
}

// identical is the ratio that stands for outputs without any difference.
const identical = 200

// compare is what became of the outputs. A network that cannot be run any more, or
// has outputs of other shapes, is an error.
func (p *probe) compare(ctx context.Context, m *ir.Model) (*Output, error) {
	got, err := p.outputs(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("the network cannot be run after this step: %w", err)
	}
	outputs := len(m.Graph.Outputs)
	errs := make([]format.Error, outputs)
	for i, want := range p.want {
		if len(got[i]) != len(want) {
			return nil, fmt.Errorf("output %q has %d numbers after this step, %d before", m.Graph.Outputs[i%outputs].Name, len(got[i]), len(want))
		}
		errs[i%outputs].Add(format.Difference(want, got[i]))
	}
	out := p.sum
	out.SNR = identical
	for _, e := range errs {
		out.SNR = min(out.SNR, ratio(e))
	}
	return &out, nil
}

// ratio is the signal-to-noise ratio within ±identical; results that are not
// finite have the least.
func ratio(e format.Error) float64 {
	if e.Square != e.Square || e.Energy != e.Energy {
		return -identical
	}
	return max(-identical, min(e.SNR(), identical))
}
