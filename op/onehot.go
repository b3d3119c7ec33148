package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// oneHotDef marks one position per index. https://onnx.ai/onnx/operators/onnx__OneHot.html
var oneHotDef = Def{
	Name: "OneHot", Versions: []int{9, 11, 28}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		at, values := c.In[0], c.In[2]
		if !at.Ranked {
			c.Set(0, ir.UnrankedType(values.DType))
			return nil
		}
		depth := ir.Unknown
		if elems, ok := c.Data(1); ok && len(elems) == 1 {
			depth = dimOf(elems[0])
		} else if t := c.Const(1); t != nil && t.Len() == 1 && isNumeric(t.Type) {
			depth = ir.Known(max(int(tensor.Float64s(t)[0]), 0))
		}
		shape, err := unsqueezed(at.Shape, []int{c.Node.Int("axis", -1)}, depth)
		c.Set(0, ir.TensorType(values.DType, shape...))
		return err
	},
	Eval: func(c *Eval) error {
		at, values := c.Need(0), c.Need(2)
		depth := int(c.Float(1))
		if depth < 0 || values.Len() != 2 || !isNumeric(at.Type) {
			return fmt.Errorf("indices %v, depth %d, values %v", at, depth, values)
		}
		shape, err := unsqueezed(at.Shape, []int{c.Node.Int("axis", -1)}, depth)
		if err != nil {
			return err
		}
		axis, err := normAxis(c.Node.Int("axis", -1), len(shape))
		if err != nil {
			return err
		}
		out := mover(c.New).filled(values, shape)
		_, _, inner := split3(shape, axis)
		for k, x := range tensor.Float64s(at) {
			i := int(x)
			if i < 0 {
				i += depth
			}
			if i >= 0 && i < depth {
				copyElems(out, (k/inner*depth+i)*inner+k%inner, values, 1, 1)
			}
		}
		c.Set(0, out)
		return nil
	},
}
