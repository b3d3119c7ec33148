package op

import (
	"fmt"

	"pare/tensor"
)

// eyeLikeDef has ones on a diagonal. https://onnx.ai/onnx/operators/onnx__EyeLike.html
var eyeLikeDef = Def{
	Name: "EyeLike", Versions: []int{9, 22}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t, err := dtypeAttr(c.Node, "dtype", c.In[0].DType)
		out := c.In[0]
		out.DType = t
		c.Set(0, out)
		return err
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		t, err := dtypeAttr(c.Node, "dtype", x.Type)
		if err != nil {
			return err
		}
		if x.Rank() != 2 {
			return fmt.Errorf("%v where a matrix is expected", x)
		}
		one, err := tensor.FromFloat64s(t, nil, []float64{1})
		if err != nil {
			return err
		}
		out := c.New(t, x.Shape...)
		k := c.Node.Int("k", 0)
		for i := range min(x.Shape[0], x.Len()) {
			if j := i + k; j >= 0 && j < x.Shape[1] {
				copyElems(out, i*x.Shape[1]+j, one, 0, 1)
			}
		}
		c.Set(0, out)
		return nil
	},
}
