package recon

import (
	"context"
	"math"

	"pare/calib"
	"pare/ir"
	"pare/tensor"
)

// judge measures a unit as it would be deployed, by the kernels that would compute it.
type judge struct {
	run     calib.NewRunner
	part    *ir.Model
	inputs  feed
	targets feed
	runs    [][]int // samples to run at a time
	loss    loss
}

// measure is the loss of the deployed unit with a change; nil is the unit as it is.
func (j *judge) measure(ctx context.Context, c *change) (float64, error) {
	m := j.part
	if c != nil {
		m = ir.CloneModel(m)
		if err := c.apply(m.Graph, "judge"); err != nil {
			return 0, err
		}
	}
	r, err := j.run(m, m.Graph.Outputs)
	if err != nil {
		return 0, err
	}
	names := inputNames(m)
	buf := make([]*tensor.Tensor, len(names))
	sum, n := 0.0, 0
	for _, idx := range j.runs {
		got, err := j.inputs.run(ctx, r, names, idx, buf)
		if err != nil {
			return 0, err
		}
		for k, v := range m.Graph.Outputs {
			want, err := j.targets[v.Name].Read(idx, nil)
			if err != nil {
				return 0, err
			}
			y := tensor.Float32s(got[k])
			l, err := j.loss.measure(make([]float32, len(y)), y, want, idx)
			if err != nil {
				return 0, err
			}
			sum += l * float64(len(idx))
		}
		n += len(idx)
	}
	return sum / float64(n), nil
}

// better reports whether a loss is a number below another.
func better(a, b float64) bool { return a < b && !math.IsInf(a, 0) }
