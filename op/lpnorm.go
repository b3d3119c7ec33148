package op

import (
	"fmt"
	"math"
	"slices"

	"pare/tensor"
)

// lpNormDef divides by the norm along an axis; what has norm 0 stays 0.
// https://onnx.ai/onnx/operators/onnx__LpNormalization.html
var lpNormDef = Def{
	Name: "LpNormalization", Versions: []int{1, 22}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: sameType,
	Eval: func(c *Eval) error {
		t := c.needRank(0, 1)
		axis, err := normAxis(c.Node.Int("axis", -1), t.Rank())
		if err != nil {
			return err
		}
		p := c.Node.Int("p", 2)
		if p != 1 && p != 2 {
			return fmt.Errorf("attribute p is %d; the operator knows 1 and 2", p)
		}
		x := c.reals(0)
		y := c.zeros(t.Shape...)
		outer, n, inner := split3(t.Shape, axis)
		line := make([]float64, n)
		for o := range outer {
			for in := range inner {
				at := o*n*inner + in
				for k := range line {
					line[k] = x[at+k*inner]
				}
				if length := norm(line, float64(p)); length != 0 {
					for k, v := range line {
						y[at+k*inner] = v / length
					}
				}
			}
		}
		c.rounded(0, t.Type, t.Shape, y)
		return nil
	},
}

// meanVarianceNormDef standardises over given axes.
// https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html
var meanVarianceNormDef = Def{
	Name: "MeanVarianceNormalization", Versions: []int{9, 13}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: sameType,
	Eval:  evalMeanVarianceNorm,
}

func evalMeanVarianceNorm(c *Eval) error {
	t := c.Need(0)
	list := c.Node.Ints("axes")
	if list == nil {
		list = []int{0, 2, 3}
	}
	axes, err := normAxes(list, t.Rank())
	if err != nil {
		return err
	}
	x := c.reals(0)
	kept := reduced(t.Shape, axes, true, 1)
	mean, square := c.zeros(kept...), c.zeros(kept...)
	count := float64(1)
	for _, a := range axes {
		count *= float64(t.Shape[a])
	}
	each := func(f func(i, k int)) {
		rows(t.Shape, [][]int{kept}, func(at, n int, index, step []int) {
			for i := range n {
				f(at+i, index[0]+i*step[0])
			}
		})
	}
	each(func(i, k int) { mean[k] += x[i] / count })
	each(func(i, k int) { square[k] += (x[i] - mean[k]) * (x[i] - mean[k]) / count })
	y := c.zeros(t.Shape...)
	each(func(i, k int) { y[i] = (x[i] - mean[k]) / (math.Sqrt(square[k]) + 1e-9) })
	c.rounded(0, t.Type, t.Shape, y)
	return nil
}

// lrnDef divides by the energy of neighbouring channels.
// https://onnx.ai/onnx/operators/onnx__LRN.html
var lrnDef = Def{
	Name: "LRN", Versions: []int{1, 13}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: sameType,
	Eval: func(c *Eval) error {
		t := c.needRank(0, 2)
		size := c.Node.Int("size", 0)
		if size < 1 {
			return fmt.Errorf("attribute size is %d; it must be positive", size)
		}
		alpha, beta := float64(c.Node.Float("alpha", 1e-4)), float64(c.Node.Float("beta", 0.75))
		bias := float64(c.Node.Float("bias", 1))
		x := c.reals(0)
		y := slices.Clone(x)
		channels, plane := t.Shape[1], tensor.Len(t.Shape[2:])
		for i, v := range x {
			ch := i / plane % channels
			var sum float64
			for k := max(0, ch-(size-1)/2); k <= min(channels-1, ch+size/2); k++ {
				u := x[i+(k-ch)*plane]
				sum += u * u
			}
			y[i] = v / math.Pow(bias+alpha/float64(size)*sum, beta)
		}
		c.rounded(0, t.Type, t.Shape, y)
		return nil
	},
}
