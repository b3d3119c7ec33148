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
