package op

import (
	"pare/ir"
	"pare/tensor"
)

// nonZeroDef lists the positions of elements that are not zero, one column each.
// https://onnx.ai/onnx/operators/onnx__NonZero.html
var nonZeroDef = Def{
	Name: "NonZero", Versions: []int{9, 13}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		rank := ir.Unknown
		if c.In[0].Ranked {
			rank = ir.Known(len(c.In[0].Shape))
		}
		c.Set(0, ir.TensorType(tensor.Int64, rank, ir.Unknown))
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		var at []int
		for i, ok := range truths(x) {
			if ok {
				at = append(at, i)
			}
		}
		out := c.New(tensor.Int64, x.Rank(), len(at))
		y := tensor.Data[int64](out)
		for axis, st := range strides(x.Shape) {
			for k, i := range at {
				y[axis*len(at)+k] = int64(i / st % x.Shape[axis])
			}
		}
		c.Set(0, out)
		return nil
	},
}

// truths says of every element whether it is not zero, or not the empty string.
func truths(t *tensor.Tensor) []bool {
	out := make([]bool, t.Len())
	switch t.Type {
	case tensor.String:
		for i, s := range t.Strings() {
			out[i] = s != ""
		}
	case tensor.Complex64:
		for i, z := range tensor.Data[complex64](t) {
			out[i] = z != 0
		}
	case tensor.Complex128:
		for i, z := range tensor.Data[complex128](t) {
			out[i] = z != 0
		}
	default:
		for i, x := range tensor.Float64s(t) {
			out[i] = x != 0
		}
	}
	return out
}
