package synth

import (
	"math"

	"pare/ir"
	"pare/tensor"
)

// target is what a batch-norm remembers of a value: means and deviations of its
// channels.
type target struct {
	value     *ir.Value
	axis      int
	mean, std []float64
	elements  int // of one sample
}

// targets lists what batch-norms remember of what they read, and folded ones of what
// they made.
func targets(m *ir.Model) (out []*target) {
	for _, n := range m.Graph.Nodes {
		if t := remembered(n); t != nil && t.sized() {
			out = append(out, t)
		}
	}
	return out
}

func remembered(n *ir.Node) *target {
	switch {
	case n.Op == "BatchNormalization" && len(n.In) == 5 && n.In[3].Const != nil && n.In[4].Const != nil && n.In[0].Const == nil:
		t := &target{value: n.In[0], axis: 1, mean: tensor.Float64s(n.In[3].Const)}
		for _, x := range tensor.Float64s(n.In[4].Const) {
			t.std = append(t.std, math.Sqrt(max(0, x)))
		}
		return t
	case len(n.Out) > 0 && n.Out[0] != nil && folded(n.Out[0].Stats):
		s := n.Out[0].Stats
		return &target{value: n.Out[0], axis: s.Axis, mean: s.Mean, std: s.Std}
	}
	return nil
}

// folded reports whether statistics are those of channels that a batch-norm made.
func folded(s *ir.Stats) bool {
	return s != nil && s.Axis > 0 && len(s.Mean) > 1 && len(s.Std) == len(s.Mean)
}

// sized reports whether the shape of a sample is known and fits, and notes its size.
func (t *target) sized() bool {
	ty := t.value.Type
	if !ty.Ranked || ty.Rank() <= t.axis || ty.DType != tensor.Float32 {
		return false
	}
	t.elements = 1
	for _, d := range ty.Shape[1:] {
		if !d.IsKnown() {
			return false
		}
		t.elements *= d.N
	}
	return ty.Shape[t.axis].N == len(t.mean)
}

// miss is how far channels of y are from what is remembered, squared, relative to
// their deviations and averaged over channels, and the gradient of that.
func (t *target) miss(y *tensor.Tensor) (dy *tensor.Tensor, loss float64, err error) {
	src := tensor.Data[float32](y)
	dst := make([]float32, len(src))
	inner, c := tensor.Len(y.Shape[t.axis+1:]), y.Shape[t.axis]
	outer := len(src) / (inner * c)
	n := float64(outer * inner)
	floor := t.floor()
	for k := range c {
		mean, std := moments(src, k*inner, c*inner, inner, outer)
		weight := 1 / (float64(c) * max(t.std[k], floor) * max(t.std[k], floor))
		off, wide := mean-t.mean[k], std-t.std[k]
		loss += weight * (off*off + wide*wide)
		a, b := 2*weight*off/n, 0.0
		if std > 0 {
			b = 2 * weight * wide / (n * std)
		}
		for o := range outer {
			at := (o*c + k) * inner
			for i, x := range src[at : at+inner] {
				dst[at+i] = float32(a + b*(float64(x)-mean))
			}
		}
	}
	dy, err = tensor.FromFloat32s(tensor.Float32, y.Shape, dst)
	return dy, loss, err
}

// leastShare bounds how much a channel that hardly varies may count: deviations
// count as no smaller than this share of the layer's root mean square.
const leastShare = 0.1

func (t *target) floor() float64 {
	sum := 0.0
	for _, s := range t.std {
		sum += s * s
	}
	return max(leastShare*math.Sqrt(sum/float64(len(t.std))), 1e-6)
}

// moments are those of a channel: outer runs of inner elements, one every step from
// first on.
func moments(src []float32, first, step, inner, outer int) (mean, std float64) {
	n := float64(outer * inner)
	for o := range outer {
		for _, x := range src[first+o*step:][:inner] {
			mean += float64(x)
		}
	}
	mean /= n
	for o := range outer {
		for _, x := range src[first+o*step:][:inner] {
			std += (float64(x) - mean) * (float64(x) - mean)
		}
	}
	return mean, math.Sqrt(std / n)
}
