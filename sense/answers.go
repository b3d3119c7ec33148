package sense

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"pare/calib"
	"pare/dataset"
	"pare/eval"
	"pare/grad"
	"pare/ir"
	"pare/quant"
	"pare/tensor"
)

// Loss says what a network's loss is.
type Loss string

// Cross entropy with the labels of the samples, or with the probabilities that the
// network itself gives (then the growth is the divergence from these); of networks that
// are no classifiers half the squared error of the first output.
const (
	Labels  Loss = "labels"
	Answers Loss = "answers"
	Outputs Loss = "outputs"
)

// mostAnswers bounds the memory for outputs, in bytes.
const mostAnswers = 64 << 20

// answers are what a network computes of samples, with which others are compared.
type answers struct {
	data    *calib.Data
	samples int
	batches [][]float32
	classes int // 0 where the first output is not one number for each class
	labels  []int
	loss    Loss
}

// errFull ends a pass when there is no more room.
var errFull = errors.New("no more room")

// newAnswers runs the network as it is.
func newAnswers(ctx context.Context, m *ir.Model, data *calib.Data) (*answers, error) {
	a := &answers{data: data, loss: Outputs}
	size := 0
	err := calib.Each(ctx, m, *data, m.Graph.Outputs[:1], func(results []*tensor.Tensor) error {
		y := results[0]
		if !y.Type.IsFloat() {
			return fmt.Errorf("output %q holds %v, no numbers whose error means something", m.Graph.Outputs[0].Name, y.Type)
		}
		if size += 4 * y.Len(); size > mostAnswers && len(a.batches) > 0 {
			return errFull
		}
		if y.Rank() >= 2 && y.Shape[1] > 1 && y.Len() == y.Shape[0]*y.Shape[1] {
			a.classes = y.Shape[1]
		}
		a.batches = append(a.batches, append([]float32{}, tensor.Float32s(y)...))
		return nil
	}, func(n, _ int) { a.samples = n })
	if err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	for _, y := range a.batches {
		for _, v := range y {
			if v-v != 0 {
				return nil, fmt.Errorf("output %q is %v before anything was quantised", m.Graph.Outputs[0].Name, v)
			}
		}
	}
	return a, a.judge(ctx)
}

// judge chooses the loss.
func (a *answers) judge(ctx context.Context) error {
	if a.classes == 0 {
		return nil
	}
	a.loss = Answers
	if a.data.Set.Task() != dataset.Classification {
		return nil
	}
	for s := range a.samples {
		b, err := a.data.Set.Batch(ctx, s, s+1)
		if err != nil {
			return err
		}
		if len(b.Labels) != 1 || b.Labels[0] < 0 {
			return nil
		}
		if b.Labels[0] >= a.classes {
			return fmt.Errorf("sample %d is of class %d, the network knows %d", s, b.Labels[0], a.classes)
		}
		a.labels = append(a.labels, b.Labels[0])
	}
	a.loss = Labels
	return nil
}

// change is what became of a network's outputs.
type change struct {
	grown    float64 // the mean loss
	diverged float64 // mean divergence from its own answers, where the loss goes by labels
	snr      float64 // of the first output, in decibels
}

// compare says what is different in m.
func (a *answers) compare(ctx context.Context, m *ir.Model) (out change, err error) {
	var signal, noise float64
	data, k, s := *a.data, 0, 0
	data.Samples = a.samples
	err = calib.Each(ctx, m, data, m.Graph.Outputs[:1], func(results []*tensor.Tensor) error {
		now, before := tensor.Float32s(results[0]), a.batches[k]
		if k++; len(now) != len(before) {
			return fmt.Errorf("the output has %d numbers, before it had %d", len(now), len(before))
		}
		e := 0.0
		for i, v := range before {
			d := float64(now[i]) - float64(v)
			signal, e = signal+float64(v)*float64(v), e+d*d
		}
		if noise += e; noise-noise != 0 {
			return errors.New("an output is not finite when this layer is quantised")
		}
		if a.classes == 0 {
			out.grown += e / 2 / float64(a.samples)
			return nil
		}
		for ; len(before) > 0; s++ {
			a.sample(&out, s, now[:a.classes], before[:a.classes])
			now, before = now[a.classes:], before[a.classes:]
		}
		return nil
	}, nil)
	out.snr = eval.SNR(signal, noise)
	return out, err
}

// sample adds what is different in sample s, given scores now and before.
func (a *answers) sample(out *change, s int, now, before []float32) {
	dy, n := make([]float32, a.classes), float64(a.samples)
	diverged := max(0, grad.KL(dy, now, before, a.classes, 1)) / n
	if a.labels == nil {
		out.grown += diverged
		return
	}
	label := a.labels[s : s+1]
	out.diverged += diverged
	out.grown += (grad.CrossEntropy(dy, now, a.classes, label) - grad.CrossEntropy(dy, before, a.classes, label)) / n
}

// changed is a copy of a network with other weights in one layer.
func changed(m *ir.Model, c *quant.Change) (*ir.Model, error) {
	out := ir.CloneModel(m)
	v := out.Graph.Value(c.Layer.Weight.Name)
	w, err := tensor.FromFloat32s(v.Const.Type, v.Const.Shape, tensor.Data[float32](c.Weights))
	if err != nil {
		return nil, err
	}
	p := ir.NewPatch(out.Graph, "quantise one layer")
	p.Replace(v, p.Const(v.Name+"_tried", w))
	return out, p.Apply()
}

// byLoss orders layers by what they lose.
func byLoss(a, b Layer) int { return cmp.Compare(a.Loss, b.Loss) }
