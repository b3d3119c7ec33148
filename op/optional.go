package op

import (
	"errors"

	"pare/ir"
	"pare/tensor"
)

// optionalDef wraps a value, or nothing. https://onnx.ai/onnx/operators/onnx__Optional.html
var optionalDef = Def{
	Name: "Optional", Versions: []int{15, 28}, In: Arity{0, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		elem, _ := c.Node.Attr("type").(ir.Type)
		if c.Has(0) {
			elem = c.In[0]
		}
		c.Set(0, ir.Type{Kind: ir.KindOptional, Elem: &elem})
		return nil
	},
	Eval: func(c *Eval) error {
		elem, _ := c.Node.Attr("type").(ir.Type)
		out := &Optional{Type: elem}
		if c.Has(0) {
			out.Elem, out.Type = c.In[0], TypeOfVal(c.In[0])
		}
		c.Set(0, out)
		return nil
	},
}

// optionalGetElementDef unwraps a value; anything not optional is passed on.
// https://onnx.ai/onnx/operators/onnx__OptionalGetElement.html
var optionalGetElementDef = Def{
	Name: "OptionalGetElement", Versions: []int{15, 18, 28}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.In[0]
		if t.Kind == ir.KindOptional {
			if t.Elem == nil {
				return nil
			}
			t = *t.Elem
		}
		c.Set(0, t)
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.In[0]
		if o, ok := x.(*Optional); ok {
			x = o.Elem
		}
		if x == nil {
			return errors.New("the optional value is empty")
		}
		c.Set(0, x)
		return nil
	},
}

// optionalHasElementDef tells whether there is a value.
// https://onnx.ai/onnx/operators/onnx__OptionalHasElement.html
var optionalHasElementDef = Def{
	Name: "OptionalHasElement", Versions: []int{15, 18, 28}, In: Arity{0, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		c.Set(0, ir.TensorType(tensor.Bool))
		return nil
	},
	Eval: func(c *Eval) error {
		has := c.Has(0)
		if has {
			if o, ok := c.In[0].(*Optional); ok {
				has = o.Elem != nil
			}
		}
		c.Set(0, tensor.Scalar(has))
		return nil
	},
}
