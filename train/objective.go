package train

import (
	"fmt"
	"slices"
	"strings"

	"pare/dataset"
	"pare/grad"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// Distances lists the distances from a teacher: the divergence of classes at a
// temperature [hinton15], squared errors relative to the teacher's outputs, one minus
// the cosine of rows, and the first of them for classes, the second for all else.
var Distances = []string{"auto", "classes", "squared", "cosine"}

// objective is the loss: what it reads, and how.
type objective struct {
	values   []*ir.Value // of the trained network; the first are its logits
	labelled bool
	distil   float64 // the teacher's share, 0 without one
	distance string
	heat     float64 // temperature

	grads []*tensor.Tensor
	extra []float32
	// power are mean squares of the teacher's outputs, which squared errors are relative
	// to.
	power []float64
}

// newObjective chooses the outputs that the loss reads.
func newObjective(m *ir.Model, task dataset.Task, o Options) (*objective, error) {
	if !slices.Contains(Distances, o.Distance) {
		return nil, fmt.Errorf("distance %q is none of %s", o.Distance, strings.Join(Distances, ", "))
	}
	b := &objective{values: heads(m.Graph), labelled: task == dataset.Classification || task == dataset.NextToken, heat: o.Temperature, distance: o.Distance}
	if len(b.values) == 0 {
		return nil, fmt.Errorf("the network has no output of floats")
	}
	if o.Teacher != nil {
		b.distil = o.Distil
		if !b.labelled {
			b.distil = 1
		}
	}
	if b.distil == 0 && !b.labelled {
		return nil, fault.Hint(fmt.Errorf("the data have no labels and there is no teacher"), "give labels, or train towards the original network")
	}
	if b.labelled {
		b.values = b.values[:1]
	}
	if b.distance == "auto" {
		b.distance = automatic(m.Graph, b)
	}
	return b, nil
}

// heads lists the outputs of floats, logits in place of their softmax.
func heads(g *ir.Graph) []*ir.Value {
	var out []*ir.Value
	for _, v := range g.Outputs {
		if v.Type.DType != tensor.Undefined && !v.Type.DType.IsFloat() {
			continue
		}
		if n := v.Producer(); n != nil && n.Op == "Softmax" && n.In[0].Producer() != nil {
			v = n.In[0]
		}
		out = append(out, v)
	}
	return out
}

// automatic is the distance by what the outputs mean: classes where there are labels,
// or where pictures become one row of numbers.
func automatic(g *ir.Graph, b *objective) string {
	pictures := slices.ContainsFunc(g.Inputs, func(v *ir.Value) bool { return v.Const == nil && v.Type.Ranked && v.Type.Rank() == 4 })
	row := b.values[0].Type.Ranked && b.values[0].Type.Rank() == 2
	if b.labelled || pictures && row && len(b.values) == 1 {
		return "classes"
	}
	return "squared"
}

// bind reads the same outputs of a network that has changed.
func (b *objective) bind(m *ir.Model) { b.values = heads(m.Graph)[:len(b.values)] }

// loss is the mean over the samples; gradients are weighted by a share, for samples
// that are part of a step.
func (b *objective) loss(out, teacher []*tensor.Tensor, s *sample, share float64) (mean float64, grads []*tensor.Tensor, err error) {
	b.room(out)
	if b.labelled && b.distil < 1 {
		if mean, err = b.labels(out[0], s); err != nil {
			return 0, nil, err
		}
	}
	for i, t := range teacher {
		d, err := b.apart(i, out[i], t)
		if err != nil {
			return 0, nil, err
		}
		mean += d / float64(len(teacher))
	}
	for _, g := range b.grads {
		scale(tensor.Data[float32](g), share)
	}
	return mean, b.grads, nil
}

// room makes gradients of zeros.
func (b *objective) room(out []*tensor.Tensor) {
	b.grads = b.grads[:min(len(b.grads), len(out))]
	for i, t := range out {
		if i < len(b.grads) && slices.Equal(b.grads[i].Shape, t.Shape) {
			clear(tensor.Data[float32](b.grads[i]))
			continue
		}
		b.grads = append(b.grads[:i], tensor.New(tensor.Float32, t.Shape...))
	}
}

// labels sets the gradient of the cross-entropy with the labels.
func (b *objective) labels(logits *tensor.Tensor, s *sample) (float64, error) {
	x, g := tensor.Float32s(logits), tensor.Data[float32](b.grads[0])
	if len(s.labels) == 0 || len(x)%len(s.labels) != 0 {
		return 0, fmt.Errorf("outputs of shape %v for %d labels", logits.Shape, len(s.labels))
	}
	classes := len(x) / len(s.labels)
	if k := slices.Max(s.labels); k >= classes {
		return 0, fault.Hint(fmt.Errorf("label %d of data for a network of %d classes", k, classes), "see the data option offset")
	}
	own := 1.0
	if s.others != nil {
		own = s.share
	}
	mean := own * b.add(g, (1-b.distil)*own, func(d []float32) float64 { return grad.CrossEntropy(d, x, classes, s.labels) })
	if s.others != nil {
		mean += (1 - own) * b.add(g, (1-b.distil)*(1-own), func(d []float32) float64 { return grad.CrossEntropy(d, x, classes, s.others) })
	}
	return (1 - b.distil) * mean, nil
}

// apart adds the gradient of the distance of output i from the teacher's.
func (b *objective) apart(i int, out, teacher *tensor.Tensor) (float64, error) {
	if !slices.Equal(out.Shape, teacher.Shape) {
		return 0, fmt.Errorf("outputs of shape %v, the teacher's are %v", out.Shape, teacher.Shape)
	}
	x, t, g := tensor.Float32s(out), tensor.Float32s(teacher), tensor.Data[float32](b.grads[i])
	row := len(x) / max(1, out.Shape[0])
	if n := out.Rank(); n > 2 && out.Shape[n-1] > 1 {
		row = out.Shape[n-1]
	}
	var f func(d []float32) float64
	by := 1.0
	switch b.distance {
	case "classes":
		f = func(d []float32) float64 { return grad.KL(d, x, t, row, b.heat) }
	case "cosine":
		f = func(d []float32) float64 { return grad.Cosine(d, x, t, row) }
	default:
		by = 1 / max(b.power[i], 1e-12)
		f = func(d []float32) float64 { return grad.MSE(d, x, t, 1) }
	}
	return b.distil * by * b.add(g, b.distil*by/float64(len(b.grads)), f), nil
}

// add adds a share of a gradient that f sets.
func (b *objective) add(g []float32, share float64, f func(d []float32) float64) float64 {
	if cap(b.extra) < len(g) {
		b.extra = make([]float32, len(g))
	}
	d := b.extra[:len(g)]
	mean := f(d)
	k := float32(share)
	for i, v := range d {
		g[i] += float32(k * v)
	}
	return mean
}

// energy is the mean square.
func energy(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum / float64(max(1, len(x)))
}

func scale(x []float32, by float64) {
	if by == 1 {
		return
	}
	k := float32(by)
	for i := range x {
		x[i] *= k
	}
}
