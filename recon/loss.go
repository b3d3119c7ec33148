package recon

import (
	"pare/grad"
	"pare/tensor"
)

// loss is the error of a unit's output.
type loss struct {
	name    string
	weights *Store // with fisher: gradients of the network's loss
}

// normOfLP is the exponent of loss=lp [li21].
const normOfLP = 2.4

// measure is the loss of y for some samples, with the gradient.
func (l loss) measure(dy, y []float32, target *tensor.Tensor, samples []int) (float64, error) {
	if l.weights == nil {
		return l.of(dy, y, target), nil
	}
	g, err := l.weights.Read(samples, nil)
	if err != nil {
		return 0, err
	}
	return grad.FisherMSE(dy, y, tensor.Float32s(target), tensor.Float32s(g), 1), nil
}

// of is the loss of y, whose gradient it writes to dy: a mean over elements, or over
// samples.
func (l loss) of(dy, y []float32, target *tensor.Tensor) float64 {
	want := tensor.Float32s(target)
	switch last := target.Shape[target.Rank()-1]; l.name {
	case "lp":
		return grad.LP(dy, y, want, normOfLP, 1)
	case "cosine":
		return grad.Cosine(dy, y, want, len(want)/target.Shape[0])
	case "kl":
		return grad.KL(dy, y, want, last, 1)
	}
	return grad.MSE(dy, y, want, 1)
}
