package op

// identityDef passes any value on. https://onnx.ai/onnx/operators/onnx__Identity.html
var identityDef = Def{
	Name: "Identity", Versions: []int{1, 13, 14, 16, 19, 21, 23, 24, 25}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		c.Set(0, c.In[0])
		if elems, ok := c.Data(0); ok {
			c.SetData(0, elems)
		}
		return nil
	},
	Eval: func(c *Eval) error {
		c.Set(0, c.In[0])
		return nil
	},
}
