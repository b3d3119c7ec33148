package pare

import (
	"context"
	"fmt"

	"pare/calib"
	"pare/dataset"
	"pare/engine"
	"pare/eval"
	"pare/ir"
	"pare/tensor"
)

// observer runs a network and returns values within it.
type observer struct {
	session *engine.Session
	names   []string
}

// newRunner lets calibration look into networks through the engine.
func newRunner(ctx context.Context, threads int) calib.NewRunner {
	return func(m *ir.Model, values []*ir.Value) (calib.Runner, error) {
		o := &observer{}
		var extra []string
		for _, v := range values {
			o.names = append(o.names, v.Name)
			if v.Producer() != nil && !m.Graph.IsOutput(v) {
				extra = append(extra, v.Name)
			}
		}
		p, err := engine.Compile(ctx, m, engine.Options{Threads: threads, Extra: extra})
		if err != nil {
			return nil, err
		}
		o.session = p.NewSession()
		return o, nil
	}
}

// Run implements calib.Runner.
func (o *observer) Run(ctx context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	got, err := o.session.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(o.names))
	for i, name := range o.names {
		if out[i] = got[name]; out[i] == nil {
			out[i] = in[name] // a network input
		}
		if out[i] == nil {
			return nil, fmt.Errorf("value %q is not a tensor", name)
		}
	}
	return out, nil
}

// bind feeds a batch to a network's inputs.
func bind(m *ir.Model, b dataset.Batch) (map[string]*tensor.Tensor, error) {
	n := 0
	for _, t := range b.Inputs {
		n = t.Shape[0]
	}
	in, _, err := eval.Bind(m.Graph.Inputs, b, n)
	return in, err
}
