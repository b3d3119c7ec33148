package op

import "pare/tensor"

// reluDef is max(x, 0). https://onnx.ai/onnx/operators/onnx__Relu.html
var reluDef = Def{
	Name: "Relu", Versions: []int{1, 6, 13, 14}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error { c.Set(0, c.In[0]); return nil },
	Eval: func(c *Eval) error {
		x := c.Tensor(0)
		out := tensor.New(tensor.Float32, x.Shape...)
		y := tensor.Data[float32](out)
		for i, v := range tensor.Data[float32](x) {
			y[i] = max(v, 0)
		}
		c.Set(0, out)
		return nil
	},
}
