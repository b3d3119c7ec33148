package prune

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"pare/dataset"
	"pare/grad"
	"pare/tensor"
)

// aim is what a judged value should be, and by what its distance from that is measured.
type aim struct {
	loss  func(dx, x []float32) float64
	slope *tensor.Tensor
}

// goals says what networks are to make of samples.
type goals struct {
	answers bool // the network's own answers, not labels
	heat    float64
	path    bool // the network is looked at on a path away from where it stands
	task    dataset.Task
	draw    *rand.Rand
}

// of are the aims by what the network made of samples. Where its own answers are the
// aim, it makes no mistake as it stands, and gradients are zero: criteria that look
// at it there get answers drawn as the network finds them likely, for classes, or
// random directions. Squares of gradients are then, on average, what a change of
// weights does to the answers.
func (g *goals) of(got []*tensor.Tensor, labels []int) (out []*aim, err error) {
	for _, t := range got {
		a, x, c := &aim{slope: tensor.New(tensor.Float32, t.Shape...)}, slices.Clone(tensor.Float32s(t)), g.classes(t)
		switch {
		case c == 0 && g.path:
			a.loss = numbers(x)
		case c == 0:
			a.loss = direction(x, g.draw)
		case !g.answers && len(labels) == len(x)/c:
			a.loss, err = g.labelled(x, c, labels)
		case !g.answers:
			a.loss, err = g.labelled(x, c, make([]int, 0))
		case g.path:
			a.loss = func(dx, y []float32) float64 { return grad.KL(dx, y, x, c, g.heat) }
		default:
			a.loss = g.entropy(c, g.drawn(x, c))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// classes is the number of classes that rows of a judged value tell apart; 0 where it
// holds something else.
func (g *goals) classes(t *tensor.Tensor) int {
	switch {
	case g.task == dataset.NextToken && t.Rank() == 3:
		return t.Shape[2]
	case t.Rank() < 2 || tensor.Len(t.Shape[2:]) != 1 || t.Shape[1] < 2:
		return 0
	}
	return t.Shape[1]
}

// labelled aims at labels; where they are not known, at the classes that the network
// chose.
func (g *goals) labelled(x []float32, c int, labels []int) (func(dx, y []float32) float64, error) {
	own := chosen(x, c)
	for i, k := range labels {
		if k >= c {
			return nil, fmt.Errorf("the data have a label %d, the network tells %d classes apart", k, c)
		}
		if k >= 0 {
			own[i] = k
		}
	}
	return g.entropy(c, own), nil
}

// entropy is the cross-entropy with labels.
func (g *goals) entropy(c int, labels []int) func(dx, y []float32) float64 {
	return func(dx, y []float32) float64 {
		if g.heat == 1 {
			return grad.CrossEntropy(dx, y, c, labels)
		}
		z, cool := make([]float32, len(y)), float32(1/g.heat)
		for i, v := range y {
			z[i] = v * cool
		}
		loss := grad.CrossEntropy(dx, z, c, labels)
		for i := range dx {
			dx[i] *= cool
		}
		return loss
	}
}

// chosen are the largest entries of rows of c.
func chosen(x []float32, c int) (out []int) {
	for ; len(x) >= c; x = x[c:] {
		best := 0
		for k, v := range x[:c] {
			if v > x[best] {
				best = k
			}
		}
		out = append(out, best)
	}
	return out
}

// drawn are classes of rows of c logits, each as likely as the network says.
func (g *goals) drawn(x []float32, c int) (out []int) {
	for ; len(x) >= c; x = x[c:] {
		top, sum := float64(slices.Max(x[:c])), 0.0
		for _, v := range x[:c] {
			sum += math.Exp((float64(v) - top) / g.heat)
		}
		u, k := g.draw.Float64()*sum, -1
		for u >= 0 && k+1 < c {
			k++
			u -= math.Exp((float64(x[k]) - top) / g.heat)
		}
		out = append(out, k)
	}
	return out
}

// numbers aims at numbers: squared errors, relative to their variance.
func numbers(want []float32) func(dx, y []float32) float64 {
	scale := precision(want)
	return func(dx, y []float32) (loss float64) {
		for k, v := range y {
			d := float64(v) - float64(want[k])
			loss += scale * d * d
			dx[k] = float32(2 * scale * d)
		}
		return loss
	}
}

// direction is the change along a random direction, relative to the deviation.
func direction(want []float32, r *rand.Rand) func(dx, y []float32) float64 {
	scale := math.Sqrt(precision(want))
	signs := make([]float64, len(want))
	for i := range signs {
		signs[i] = scale * float64(2*r.IntN(2)-1)
	}
	return func(dx, y []float32) (loss float64) {
		for k, v := range y {
			loss += signs[k] * float64(v)
			dx[k] = float32(signs[k])
		}
		return loss
	}
}

// precision is one over the sum of squared distances from the mean.
func precision(x []float32) float64 {
	sum, squares, n := 0.0, 0.0, float64(max(1, len(x)))
	for _, v := range x {
		sum, squares = sum+float64(v), squares+float64(v)*float64(v)
	}
	return 1 / max(squares-sum*sum/n, n*1e-12)
}

// loss is what the network gets wrong by some of the judged values, whose places are
// given, and its gradient by them.
func (l *lesson) loss(got []*tensor.Tensor, judged []int) (loss float64, slopes []*tensor.Tensor) {
	for i, k := range judged {
		a := l.aims[k]
		loss += a.loss(tensor.Data[float32](a.slope), tensor.Float32s(got[i]))
		slopes = append(slopes, a.slope)
	}
	return loss, slopes
}
