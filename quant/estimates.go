package quant

import (
	"context"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// Estimates are what gradients tell of the growth of a network's loss when the weights
// of one layer alone are quantised. Gradient is nil where the network is no classifier:
// errors of outputs have no slope where there is no error yet.
type Estimates struct {
	Fisher   float64  // half the sum of mean squared gradients times squared changes
	Gradient *float64 // magnitude of the sum of gradients times changes
	SInGE    float64  // relative squared change times the sum of squares of weight times gradient [yvinec22]
}

// Estimator holds the gradients of a network's loss on samples.
type Estimator struct{ known *importance }

// NewEstimator takes gradients on at most so many of env.Data's samples: of the cross
// entropy with labels, or with the network's own predictions; of networks that are no
// classifiers, of half the squared change of the first output. done is told of each
// sample. It reports networks that cannot be differentiated.
func NewEstimator(ctx context.Context, m *ir.Model, env *compress.Env, samples int, done func(n, of int)) (*Estimator, error) {
	known, err := learnImportance(ctx, m, env, "fisher", samples, done)
	return &Estimator{known}, err
}

// Of estimates what a layer adds to the loss when its weights change.
func (e *Estimator) Of(ctx context.Context, c *Change) (out Estimates, err error) {
	get := func(kind string) float64 {
		x := *e.known
		x.kind = kind
		v, wrong := x.lost(ctx, c.Layer, c.rest())
		if wrong != nil {
			err = wrong
		}
		return v
	}
	out = Estimates{Fisher: get("fisher"), SInGE: get("singe")}
	if e.known.labels != nil {
		g := get("gradient")
		out.Gradient = &g
	}
	return out, err
}

// Change is what quantisation makes of the weights of a layer.
type Change struct {
	Layer   *compress.Layer
	Weights *tensor.Tensor // Float32
	Error   float64        // energy of the change, relative to that of the weights
}

// rest is by how much the weights become less.
func (c *Change) rest() []float32 {
	out := append([]float32{}, tensor.Data[float32](float32s(c.Layer.Weight.Const))...)
	for i, v := range tensor.Data[float32](c.Weights) {
		out[i] -= v
	}
	return out
}

// Changer quantises weights to bits, 2 to 8, on uniform symmetric levels with a scale per
// output channel.
type Changer struct{ w *weights }

// NewChanger makes a changer of m's layers, which does not change m.
func NewChanger(m *ir.Model, env *compress.Env, bits int) *Changer {
	u := newUniform(bits)
	u.Store = int8s
	w := u.weights(m, env)
	w.trial = true
	return &Changer{w}
}

// Each calls f for every layer, in order, with a reason where it cannot be quantised and
// otherwise with a function that does it.
func (c *Changer) Each(f func(l *compress.Layer, skip string, change func() (*Change, error)) error) error {
	for p, skip := range c.w.each() {
		err := f(p.layer, skip, func() (*Change, error) { return c.change(&p) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Changer) change(p *plan) (*Change, error) {
	e, cost, err := c.w.codes(p)
	if err != nil {
		return nil, err
	}
	now, err := e.Decode(c.w.env.Threads)
	if err != nil {
		return nil, layerError(p.layer, err)
	}
	return &Change{Layer: p.layer, Weights: now, Error: cost.Relative()}, nil
}
