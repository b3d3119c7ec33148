package compresstest

import (
	"context"
	"slices"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// fed reports whether a step of the recipe learns from samples.
func fed(r *compress.Recipe) bool {
	return slices.ContainsFunc(r.Steps, compress.NeedsData)
}

// few samples are enough to see that a method that learns keeps the contract.
const few = 6

// data are samples like the model's input, without labels.
func data(model Model) *calib.Data {
	return &calib.Data{Set: samples{model}, Batch: 2, Run: func(m *ir.Model, v []*ir.Value) (calib.Runner, error) { return runner{m, v}, nil }}
}

// samples are the rows of the model's input, each time in another order of its
// numbers.
type samples struct{ model Model }

// Len implements dataset.Set.
func (s samples) Len() int { return few }

// Task implements dataset.Set.
func (s samples) Task() dataset.Task { return dataset.Unlabelled }

// Prepared implements dataset.Set.
func (s samples) Prepared() string { return "" }

// Batch implements dataset.Set.
func (s samples) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	out := map[string]*tensor.Tensor{}
	for name, x := range s.model.Input() {
		row := len(x.Bytes()) / x.Shape[0]
		shape := slices.Clone(x.Shape)
		shape[0] = hi - lo
		y := tensor.New(x.Type, shape...)
		for i := lo; i < hi; i++ {
			at, turn := i%x.Shape[0]*row, i*x.Type.Bits()/8
			copy(y.Bytes()[(i-lo)*row:][:row], slices.Concat(x.Bytes()[at+turn:at+row], x.Bytes()[at:at+turn]))
		}
		out[name] = y
	}
	return dataset.Batch{Inputs: out}, nil
}

// runner evaluates by the operators' reference.
type runner struct {
	m      *ir.Model
	values []*ir.Value
}

// Run implements calib.Runner.
func (r runner) Run(ctx context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	m, g, vals := *r.m, *r.m.Graph, map[string]op.Val{}
	g.Outputs, m.Graph = r.values, &g
	for name, x := range in {
		vals[name] = x
	}
	got, err := op.Run(ctx, &m, vals)
	if err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(got))
	for i, v := range got {
		out[i] = v.(*tensor.Tensor)
	}
	return out, nil
}
