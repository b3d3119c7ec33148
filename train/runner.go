package train

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/grad"
	"pare/ir"
	"pare/tensor"
)

// runnerOf evaluates networks by package grad, where the data bring no other means.
func runnerOf(o Options) calib.NewRunner {
	return func(m *ir.Model, values []*ir.Value) (calib.Runner, error) {
		p, err := grad.New(m, grad.Options{Outputs: values, Threads: o.Threads, Memory: o.Memory})
		return &runner{m, p}, err
	}
}

type runner struct {
	m *ir.Model
	p *grad.Program
}

// Run implements calib.Runner.
func (r *runner) Run(ctx context.Context, inputs map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	var in []*tensor.Tensor
	for _, v := range r.m.Graph.Inputs {
		if v.Const != nil {
			continue
		}
		if inputs[v.Name] == nil {
			return nil, fmt.Errorf("nothing for input %q", v.Name)
		}
		in = append(in, inputs[v.Name])
	}
	return r.p.Forward(ctx, in)
}
