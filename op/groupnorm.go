package op

import (
	"fmt"
	"math"

	"pare/tensor"
)

// instanceNormDef normalises each channel of each image.
// https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html
var instanceNormDef = Def{
	Name: "InstanceNormalization", Versions: []int{1, 6, 22}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: sameType,
	Eval: func(c *Eval) error {
		t := c.needRank(0, 2)
		return normGroups(c, t.Shape[1], false)
	},
	Raise: map[int]func(*Raising) error{
		6: func(r *Raising) error { r.DropAttrs("consumed_inputs"); return nil },
	},
}

// groupNormDef normalises groups of channels of each image.
// https://onnx.ai/onnx/operators/onnx__GroupNormalization.html
var groupNormDef = Def{
	Name: "GroupNormalization", Versions: []int{18, 21}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: sameType,
	Eval: func(c *Eval) error {
		return normGroups(c, c.Node.Int("num_groups", 0), c.Version < 21)
	},
	Raise: map[int]func(*Raising) error{21: raiseGroupNorm},
}

// normGroups normalises groups of neighbouring channels, then scales and moves
// each channel, or each group where perGroup is set.
func normGroups(c *Eval, groups int, perGroup bool) error {
	t := c.needRank(0, 2)
	channels, plane := t.Shape[1], tensor.Len(t.Shape[2:])
	if groups < 1 && channels > 0 || groups > 0 && channels%groups != 0 {
		return fmt.Errorf("%d channels do not split into %d groups", channels, groups)
	}
	count := channels
	if perGroup {
		count = groups
	}
	x, scale, bias := c.reals(0), c.optReals(1, count), c.optReals(2, count)
	eps := float64(c.Node.Float("epsilon", 1e-5))
	y := c.zeros(t.Shape...)
	if len(x) > 0 {
		size := channels / groups * plane
		for at := 0; at < len(x); at += size {
			standardise(y[at:at+size], x[at:at+size], eps)
		}
		for i := range y {
			ch := i / plane % channels * count / channels
			y[i] = y[i]*scale[ch] + bias[ch]
		}
	}
	c.rounded(0, t.Type, t.Shape, y)
	return nil
}

// standardise sets y to x less its mean, divided by its deviation, and returns
// the mean and the inverse of the deviation.
func standardise(y, x []float64, eps float64) (mean, inverse float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	var variance float64
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	inverse = 1 / math.Sqrt(variance/float64(len(x))+eps)
	for i, v := range x {
		y[i] = (v - mean) * inverse
	}
	return
}

// raiseGroupNorm repeats the constants of each group for its channels.
func raiseGroupNorm(r *Raising) error {
	groups := r.Node.Int("num_groups", 0)
	channels := dimAt(r.Node.In[0].Type, 1)
	if !channels.IsKnown() || groups < 1 || channels.N%groups != 0 {
		return fmt.Errorf("the number of channels (%v) must be known and a multiple of the %d groups", channels, groups)
	}
	for i, what := range []string{1: "scale", 2: "bias"} {
		if what == "" {
			continue
		}
		t := r.Node.In[i].Const
		if t == nil || t.Len() != groups {
			return fmt.Errorf("operand %q must be a constant of %d elements to be repeated for each channel", r.Node.In[i].Name, groups)
		}
		repeat := channels.N / groups
		src := make([]int, channels.N)
		for k := range src {
			src[k] = k / repeat
		}
		r.ConstInput(i, what, take(&Eval{}, t, []int{channels.N}, src))
	}
	return nil
}
