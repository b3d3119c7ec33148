package op

import (
	"errors"
	"strings"

	"pare/ir"
	"pare/tensor"
)

// constantDef is a value given by an attribute.
// https://onnx.ai/onnx/operators/onnx__Constant.html
var constantDef = Def{
	Name: "Constant", Versions: []int{1, 9, 11, 12, 13, 19, 21, 23, 24, 25}, In: Arity{0, 0}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t, err := constantOf(c.Node)
		if err != nil {
			return err
		}
		c.Set(0, ir.TypeOf(t))
		if elems, ok := smallInts(t); ok {
			c.SetData(0, elems)
		}
		return nil
	},
	Eval: func(c *Eval) error {
		t, err := constantOf(c.Node)
		c.Set(0, t)
		return err
	},
}

// constantOf reads whichever attribute holds the value.
func constantOf(n *ir.Node) (*tensor.Tensor, error) {
	for _, a := range n.Attrs {
		if !strings.HasPrefix(strings.TrimPrefix(a.Name, "sparse_"), "value") {
			continue
		}
		switch x := a.Value.(type) {
		case *tensor.Tensor:
			return x, nil
		case *tensor.Sparse:
			return x.Dense()
		case float32:
			return tensor.Scalar(x), nil
		case int64:
			return tensor.Scalar(x), nil
		case string:
			return tensor.OfStrings(nil, []string{x}), nil
		case []float32:
			return tensor.Of([]int{len(x)}, x), nil
		case []int64:
			return tensor.Of([]int{len(x)}, x), nil
		case []string:
			return tensor.OfStrings([]int{len(x)}, x), nil
		}
	}
	return nil, errors.New("no attribute holds the value")
}

// smallInts is the elements of a small integer tensor as Data keeps them.
func smallInts(t *tensor.Tensor) ([]ir.Dim, bool) {
	if t.Len() > maxData || t.Type != tensor.Int64 && t.Type != tensor.Int32 {
		return nil, false
	}
	list, err := intsOf(t)
	return knownElems(list), err == nil
}

// constantOfShapeDef fills a shape with one value.
// https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html
var constantOfShapeDef = Def{
	Name: "ConstantOfShape", Versions: []int{9, 20, 21, 23, 24, 25}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		value, err := fillValue(c.Node)
		if err != nil {
			return err
		}
		elems, ok := c.Data(0)
		if !ok {
			c.Set(0, ir.UnrankedType(value.Type))
			if t := c.In[0]; t.Rank() == 1 && t.Shape[0].IsKnown() && t.Shape[0].N <= maxData {
				shape := make([]ir.Dim, t.Shape[0].N)
				for i := range shape {
					shape[i] = ir.Unknown
				}
				c.Set(0, ir.TensorType(value.Type, shape...))
			}
			return nil
		}
		dims := make([]ir.Dim, len(elems))
		for i, e := range elems {
			dims[i] = dimOf(e)
		}
		t := ir.TensorType(value.Type, dims...)
		c.Set(0, t)
		one, isInt := smallInts(value)
		if sizes, ok := t.Sizes(); ok && isInt {
			if n, err := tensor.CheckedLen(sizes); err == nil && n <= maxData {
				data := make([]ir.Dim, n)
				for i := range data {
					data[i] = one[0]
				}
				c.SetData(0, data)
			}
		}
		return nil
	},
	Eval: func(c *Eval) error {
		value, err := fillValue(c.Node)
		if err != nil {
			return err
		}
		c.Set(0, mover(c.New).filled(value, c.Ints(0)))
		return nil
	},
}

// fillValue is the node's "value", by default a float 0.
func fillValue(n *ir.Node) (*tensor.Tensor, error) {
	t := n.Tensor("value")
	if t == nil {
		return tensor.Scalar(float32(0)), nil
	}
	if t.Len() != 1 {
		return nil, errors.New("the value must have one element")
	}
	return t, nil
}
