package recon

import (
	"context"
	"fmt"
	"maps"
	"math"

	"pare/grad"
	"pare/tensor"
)

// fisher keeps, of every sample, the gradient of the network's loss by a value of the
// original: how much an error there counts [li21]. The loss is the cross-entropy with
// the class that the original finds itself, so that labels are not needed.
func (r *run) fisher(ctx context.Context, name string, value *Store) (out *Store, err error) {
	part, err := between(r.f, name, "")
	if err != nil {
		return nil, err
	}
	p, err := grad.New(part, grad.Options{Inputs: part.Graph.Inputs[:1], Threads: r.env.Threads, Memory: programMemory})
	if err != nil {
		return nil, fmt.Errorf("loss=fisher: %w", err)
	}
	if out, err = NewStore(); err != nil {
		return nil, err
	}
	names := inputNames(part)
	in := make([]*tensor.Tensor, len(names))
	from := maps.Clone(r.floats)
	from[name] = value
	for _, idx := range from.runs(names, r.samples, r.batch()) {
		if err = context.Cause(ctx); err == nil {
			err = from.read(names, idx, in)
		}
		if err == nil {
			err = r.gradients(ctx, p, in, len(idx), out)
		}
		if err != nil {
			out.Close()
			return nil, err
		}
	}
	return out, nil
}

// gradients adds those of a batch of n to a store. Their mean square is not one: the
// loss is compared with its start.
func (r *run) gradients(ctx context.Context, p *grad.Program, in []*tensor.Tensor, n int, out *Store) error {
	y, err := p.Forward(ctx, in)
	if err != nil {
		return err
	}
	dy := make([]*tensor.Tensor, len(y))
	logits := tensor.Data[float32](y[0])
	classes := y[0].Shape[y[0].Rank()-1]
	labels := make([]int, len(logits)/classes)
	for i := range labels {
		labels[i] = largest(logits[i*classes : (i+1)*classes])
	}
	d := make([]float32, len(logits))
	if l := grad.CrossEntropy(d, logits, classes, labels); math.IsNaN(l) {
		return fmt.Errorf("loss=fisher: the loss of the original is no number")
	}
	dy[0] = tensor.Of(y[0].Shape, d)
	if err := p.Backward(ctx, dy); err != nil {
		return err
	}
	return out.Append(p.InputGrad(0), n)
}

// largest is the index of the largest number.
func largest(x []float32) (at int) {
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}

// programMemory bounds what programs keep for gradients.
const programMemory = 128 << 20
