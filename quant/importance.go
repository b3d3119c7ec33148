package quant

import (
	"context"
	"errors"
	"fmt"
	"math"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/grad"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// importance knows what errors of weights do to a network's loss: the cross entropy of
// its scores with labels, where there are some, or with its own predictions; of networks
// that compute something else, half the square of the change.
type importance struct {
	kind    string
	env     *compress.Env
	m       *ir.Model
	samples int
	square  map[*ir.Node][]float32 // mean of squared gradients over samples
	mean    map[*ir.Node][]float32 // mean gradient
	labels  []int                  // by sample; nil where the network is no classifier
	loss    float64                // mean, before anything was quantised
	scores  [][]float32            // of each sample, then
}

// learnImportance takes gradients on the first samples, one by one.
func learnImportance(ctx context.Context, m *ir.Model, env *compress.Env, kind string, samples int) (*importance, error) {
	x := &importance{kind: kind, env: env, m: m, square: map[*ir.Node][]float32{}, mean: map[*ir.Node][]float32{}}
	if env.Data == nil {
		return nil, fault.Hint(fmt.Errorf("importance=%s looks at samples and there are none", kind), "name some with --data, or take importance=noise")
	}
	x.samples = min(samples, env.Data.Set.Len())
	if env.Data.Samples > 0 {
		x.samples = min(x.samples, env.Data.Samples)
	}
	if ir.FixedBatch(m.Graph.Inputs) > 1 {
		return nil, errors.New("gradients of single samples are not to be had: the network takes several at a time")
	}
	var layers []*compress.Layer
	var params []*ir.Value
	list := env.Layers(m)
	for i := range list {
		if l := &list[i]; l.Reason == "" && l.Weight != nil {
			layers, params = append(layers, l), append(params, l.Weight)
		}
	}
	p, err := grad.New(m, grad.Options{Params: params, Threads: env.Threads, Seed: env.Seed})
	if err != nil {
		return nil, err
	}
	for i, l := range layers {
		n := len(p.Params()[i].Data)
		x.square[l.Node], x.mean[l.Node] = make([]float32, n), make([]float32, n)
	}
	for s := range x.samples {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := x.sample(ctx, p, layers, s); err != nil {
			return nil, fmt.Errorf("gradients of sample %d: %w", s, err)
		}
		env.Advance("gradients", s+1, x.samples)
	}
	return x, nil
}

// sample adds what one sample tells.
func (x *importance) sample(ctx context.Context, p *grad.Program, layers []*compress.Layer, s int) error {
	batch, err := x.env.Data.Set.Batch(ctx, s, s+1)
	if err != nil {
		return err
	}
	feed := x.env.Data.Inputs
	if feed == nil {
		feed = calib.DefaultInputs
	}
	given, err := feed(x.m, batch)
	if err != nil {
		return err
	}
	var in []*tensor.Tensor
	for _, v := range x.m.Graph.Inputs {
		if v.Const == nil {
			in = append(in, given[v.Name])
		}
	}
	out, err := p.Forward(ctx, in)
	if err != nil {
		return err
	}
	p.ZeroGrads()
	if err := p.Backward(ctx, x.gradient(out, batch, s)); err != nil {
		return err
	}
	for i, l := range layers {
		square, mean := x.square[l.Node], x.mean[l.Node]
		for k, g := range p.Params()[i].Grad {
			if g-g != 0 {
				return fmt.Errorf("the gradient of layer %s is %v", l.Name, g)
			}
			square[k] += g * g / float32(x.samples)
			mean[k] += g / float32(x.samples)
		}
	}
	return nil
}

// gradient is that of the loss by the first output.
func (x *importance) gradient(out []*tensor.Tensor, batch dataset.Batch, s int) []*tensor.Tensor {
	y := tensor.Float32s(out[0])
	dy := tensor.New(tensor.Float32, out[0].Shape...)
	d := tensor.Data[float32](dy)
	grads := make([]*tensor.Tensor, len(out))
	grads[0] = dy
	if !isScores(out[0]) {
		r := x.env.Rand(fmt.Sprint("importance ", s)) // squares of gradients of random sums have the mean that is wanted
		for i := range d {
			d[i] = float32(r.NormFloat64())
		}
		return grads
	}
	label := predicted(y)
	if len(batch.Labels) == 1 && batch.Labels[0] >= 0 && batch.Labels[0] < len(y) {
		label = batch.Labels[0]
	}
	x.labels, x.scores = append(x.labels, label), append(x.scores, append([]float32{}, y...))
	x.loss += grad.CrossEntropy(d, y, len(y), []int{label}) / float64(x.samples)
	return grads
}

// isScores reports whether a result for one sample is one number for each class.
func isScores(y *tensor.Tensor) bool {
	return y.Rank() >= 2 && y.Shape[0] == 1 && y.Shape[1] > 1 && y.Len() == y.Shape[1]
}

// predicted is the class of the largest score.
func predicted(x []float32) (at int) {
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}

// lost is how much the loss is expected to grow when the weights of a layer lose rest.
func (x *importance) lost(ctx context.Context, l *compress.Layer, rest []float32) (float64, error) {
	square, mean := x.square[l.Node], x.mean[l.Node]
	sum, w := 0.0, tensor.Data[float32](float32s(l.Weight.Const))
	switch x.kind {
	case "measured":
		return x.measured(ctx, l, rest)
	case "gradient":
		for i, d := range rest {
			sum += float64(mean[i]) * float64(d)
		}
		return math.Abs(sum), nil
	case "singe":
		energy, noise := 0.0, 0.0
		for i, d := range rest {
			sum += float64(square[i]) * float64(w[i]) * float64(w[i])
			energy, noise = energy+float64(w[i])*float64(w[i]), noise+float64(d)*float64(d)
		}
		return sum * ratio(noise, energy), nil
	}
	for i, d := range rest {
		sum += float64(square[i]) * float64(d) * float64(d)
	}
	return sum / 2, nil
}

// measured is how much it grows, when no other layer changes.
func (x *importance) measured(ctx context.Context, l *compress.Layer, rest []float32) (float64, error) {
	if x.labels == nil {
		return 0, errors.New("importance=measured needs a network that computes scores of classes")
	}
	m := ir.CloneModel(x.m)
	v := m.Graph.Value(l.Weight.Name)
	changed := tensor.Of(v.Const.Shape, append([]float32{}, tensor.Float32s(v.Const)...))
	for i, d := range rest {
		tensor.Data[float32](changed)[i] -= d
	}
	p := ir.NewPatch(m.Graph, "try a width")
	p.Replace(v, p.Const(v.Name+"_tried", changed))
	if err := p.Apply(); err != nil {
		return 0, err
	}
	return x.diverged(ctx, m)
}

// diverged is the mean divergence of a network's predictions from those before.
func (x *importance) diverged(ctx context.Context, m *ir.Model) (float64, error) {
	sum := 0.0
	err := x.scored(ctx, m, func(s int, y []float32) {
		sum += max(0, grad.KL(make([]float32, len(y)), y, x.scores[s], len(y), 1)) / float64(x.samples)
	})
	return sum, err
}

// grown is how much larger the loss of a network is than before.
func (x *importance) grown(ctx context.Context, m *ir.Model) (float64, error) {
	sum := -x.loss
	err := x.scored(ctx, m, func(s int, y []float32) {
		sum += grad.CrossEntropy(make([]float32, len(y)), y, len(y), []int{x.labels[s]}) / float64(x.samples)
	})
	return sum, err
}

// scored calls f with the scores of each sample.
func (x *importance) scored(ctx context.Context, m *ir.Model, f func(s int, y []float32)) error {
	data, s := *x.env.Data, 0
	data.Samples = x.samples
	return calib.Each(ctx, m, data, m.Graph.Outputs[:1], func(results []*tensor.Tensor) error {
		y := tensor.Float32s(results[0])
		for classes := len(x.scores[0]); len(y) >= classes && s < len(x.scores); s++ {
			f(s, y[:classes])
			y = y[classes:]
		}
		return nil
	}, nil)
}
