package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// compressDef keeps the slices where a condition holds.
// https://onnx.ai/onnx/operators/onnx__Compress.html
var compressDef = Def{
	Name: "Compress", Versions: []int{9, 11, 28}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		switch {
		case !c.Node.Has("axis"):
			c.Set(0, ir.TensorType(x.DType, ir.Unknown))
		case !x.Ranked:
			c.Set(0, x)
		default:
			axis, err := normAxis(c.Node.Int("axis", 0), len(x.Shape))
			if err != nil {
				return err
			}
			shape := append([]ir.Dim(nil), x.Shape...)
			shape[axis] = ir.Unknown
			c.Set(0, ir.TensorType(x.DType, shape...))
		}
		return nil
	},
	Eval: func(c *Eval) error {
		x, cond := c.Need(0), c.Need(1)
		if cond.Type != tensor.Bool || cond.Rank() != 1 {
			return fmt.Errorf("condition %v", cond)
		}
		if !c.Node.Has("axis") {
			x = x.Reshape(x.Len())
		}
		axis, err := normAxis(c.Node.Int("axis", 0), x.Rank())
		if err != nil {
			return err
		}
		var keep []int
		for i, ok := range tensor.Data[bool](cond) {
			if ok && i >= x.Shape[axis] {
				return fmt.Errorf("position %d of an axis of length %d", i, x.Shape[axis])
			}
			if ok {
				keep = append(keep, i)
			}
		}
		c.Set(0, mover(c.New).taken(x, axis, keep))
		return nil
	},
}

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

// reverseSequenceDef reverses the beginning of every sequence of a batch.
// https://onnx.ai/onnx/operators/onnx__ReverseSequence.html
var reverseSequenceDef = Def{
	Name: "ReverseSequence", Versions: []int{10, 28}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: inferSame,
	Eval: func(c *Eval) error {
		x, lens := c.Need(0), c.Ints(1)
		b, t := c.Node.Int("batch_axis", 1), c.Node.Int("time_axis", 0)
		if b+t != 1 || b*t != 0 || x.Rank() < 2 {
			return fmt.Errorf("batch axis %d and time axis %d of %v; one must be 0, the other 1", b, t, x)
		}
		if len(lens) != x.Shape[b] {
			return fmt.Errorf("%d lengths for a batch of %d", len(lens), x.Shape[b])
		}
		block := tensor.Len(x.Shape[2:])
		step := []int{x.Shape[1] * block, block}
		out := c.New(x.Type, x.Shape...)
		for i, n := range lens {
			if n < 0 || n > x.Shape[t] {
				return fmt.Errorf("length %d of an axis of length %d", n, x.Shape[t])
			}
			for k := range x.Shape[t] {
				from := k
				if k < n {
					from = n - 1 - k
				}
				copyElems(out, i*step[b]+k*step[t], x, i*step[b]+from*step[t], block)
			}
		}
		c.Set(0, out)
		return nil
	},
}
