package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// layerNormDef normalises over the last axes.
// https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
var layerNormDef = Def{
	Name: "LayerNormalization", Versions: []int{1, 17}, In: Arity{2, 3}, Out: Arity{1, 3},
	Infer: inferLayerNorm,
	Eval: func(c *Eval) error {
		eps := float64(c.Node.Float("epsilon", 1e-5))
		return normLast(c, func(y, x []float64) (float64, float64) { return standardise(y, x, eps) })
	},
}

// rmsNormDef divides by the root of the mean square over the last axes.
// https://onnx.ai/onnx/operators/onnx__RMSNormalization.html
var rmsNormDef = Def{
	Name: "RMSNormalization", Versions: []int{23}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error { return inferElems(c, 0, c.In[1].DType) },
	Eval: func(c *Eval) error {
		eps := float64(c.Node.Float("epsilon", 1e-5))
		return normLast(c, func(y, x []float64) (float64, float64) { return 0, divideByRMS(y, x, eps) })
	},
}

// divideByRMS sets y to x divided by its root mean square and returns the
// factor.
func divideByRMS(y, x []float64, eps float64) (inverse float64) {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	inverse = 1 / math.Sqrt(sum/float64(len(x))+eps)
	for i, v := range x {
		y[i] = v * inverse
	}
	return inverse
}

// normLast normalises each slice over the axes from the attribute axis on by f,
// which returns the slice's mean and inverse deviation, and then applies the
// scale, operand 1, and the bias, operand 2.
func normLast(c *Eval, f func(y, x []float64) (mean, inverse float64)) error {
	t := c.needRank(0, 1)
	axis, err := normAxis(c.Node.Int("axis", -1), t.Rank())
	if err != nil {
		return err
	}
	x := c.reals(0)
	y := c.zeros(t.Shape...)
	size := tensor.Len(t.Shape[axis:])
	stats := append([]int(nil), t.Shape...)
	fill(stats[axis:], 1)
	mean, inverse := c.zeros(stats...), c.zeros(stats...)
	if size > 0 {
		for i := range mean {
			mean[i], inverse[i] = f(y[i*size:(i+1)*size], x[i*size:(i+1)*size])
		}
	}
	eachBroadcast(c, t.Shape, 1, func(i int, v float64) { y[i] *= v })
	if c.Has(2) {
		eachBroadcast(c, t.Shape, 2, func(i int, v float64) { y[i] += v })
	}
	kind := t.Type
	if c.Node.Op == "RMSNormalization" {
		kind = c.Tensor(1).Type
	}
	c.rounded(0, kind, t.Shape, y)
	stash := stashType(c.Node)
	if !stash.IsFloat() {
		return fmt.Errorf("attribute stash_type is %v, which is no floating-point type", stash)
	}
	c.rounded(1, stash, stats, mean)
	c.rounded(2, stash, stats, inverse)
	return nil
}

// stashType is the type in which the statistics of a normalisation are given.
func stashType(n *ir.Node) tensor.DType {
	if t := n.Int("stash_type", 1); t > 0 && t < 256 {
		return tensor.DType(t)
	}
	return tensor.Undefined
}

// eachBroadcast calls f for every element of the given shape with the element of
// the operand that broadcasting puts there.
func eachBroadcast(c *Eval, shape []int, operand int, f func(i int, v float64)) {
	own := c.Need(operand).Shape
	if out, err := broadcast(shape, own); err != nil || len(out) != len(shape) || tensor.Len(out) != tensor.Len(shape) {
		refuse("operand %d is %v, which does not broadcast to the shape %v", operand, c.Tensor(operand), shape)
	}
	v := c.reals(operand)
	rows(shape, [][]int{own}, func(at, n int, index, step []int) {
		for i := range n {
			f(at+i, v[index[0]+i*step[0]])
		}
	})
}

func inferLayerNorm(c *Shape) error {
	t := c.In[0]
	c.Set(0, t)
	stats := t
	stats.DType = stashType(c.Node)
	if t.Ranked {
		axis, err := normAxis(c.Node.Int("axis", -1), len(t.Shape))
		if err != nil {
			return err
		}
		stats.Shape = append([]ir.Dim(nil), t.Shape...)
		fill(stats.Shape[axis:], ir.Known(1))
	}
	c.Set(1, stats)
	c.Set(2, stats)
	return nil
}
