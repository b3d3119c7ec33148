package op

import (
	"errors"
	"fmt"
	"slices"

	"pare/ir"
)

// squeezeDef removes axes of length 1. https://onnx.ai/onnx/operators/onnx__Squeeze.html
var squeezeDef = Def{
	Name: "Squeeze", Versions: []int{1, 11, 13, 21, 23, 24, 25}, In: Arity{1, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		axes, given, known := axesOperand(c)
		if elems, ok := c.Data(0); ok {
			c.SetData(0, elems)
		}
		if !x.Ranked || given && !known {
			c.Set(0, ir.UnrankedType(x.DType))
			return nil
		}
		if !given {
			for i, d := range x.Shape {
				if !d.IsKnown() { // it may be 1
					c.Set(0, ir.UnrankedType(x.DType))
					return nil
				}
				if d.N == 1 {
					axes = append(axes, i)
				}
			}
		}
		axes, err := normAxes(axes, len(x.Shape))
		if err != nil {
			return err
		}
		for _, a := range axes {
			if d := x.Shape[a]; d.IsKnown() && d.N != 1 {
				return fmt.Errorf("axis %d of %v is not of length 1", a, x)
			}
		}
		c.Set(0, ir.TensorType(x.DType, reduced(x.Shape, axes, false, ir.Known(1))...))
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		axes := c.Node.Ints("axes")
		given := axes != nil
		if c.Version >= 13 {
			axes, given = nil, c.Has(1)
		}
		switch {
		case given && c.Version >= 13:
			axes = c.Ints(1)
		case !given:
			for i, d := range x.Shape {
				if d == 1 {
					axes = append(axes, i)
				}
			}
		}
		axes, err := normAxes(axes, x.Rank())
		if err != nil {
			return err
		}
		for _, a := range axes {
			if x.Shape[a] != 1 {
				return fmt.Errorf("axis %d of %v is not of length 1", a, x)
			}
		}
		c.Set(0, x.Reshape(reduced(x.Shape, axes, false, 1)...))
		return nil
	},
	Raise: map[int]func(c *Raising) error{13: func(c *Raising) error { return c.AttrToInput("axes", 1) }},
}

// axesOperand reads "axes", an attribute before version 13 and operand 1 since.
func axesOperand(c *Shape) (axes []int, given, known bool) {
	if c.Version < 13 {
		axes = c.Node.Ints("axes")
		return axes, axes != nil, true
	}
	axes, known = c.Ints(1)
	return axes, c.Has(1), known
}

// unsqueezeDef inserts axes of length 1. https://onnx.ai/onnx/operators/onnx__Unsqueeze.html
var unsqueezeDef = Def{
	Name: "Unsqueeze", Versions: []int{1, 11, 13, 21, 23, 24, 25}, In: Arity{1, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		if elems, ok := c.Data(0); ok {
			c.SetData(0, elems)
		}
		axes, given, known := axesOperand(c)
		if !given {
			return errors.New("the axes are missing")
		}
		if !x.Ranked || !known {
			c.Set(0, ir.UnrankedType(x.DType))
			return nil
		}
		shape, err := unsqueezed(x.Shape, axes, ir.Known(1))
		c.Set(0, ir.TensorType(x.DType, shape...))
		return err
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		axes := c.Node.Ints("axes")
		if c.Version >= 13 {
			axes = c.Ints(1)
		} else if axes == nil {
			return errors.New("the axes are missing")
		}
		shape, err := unsqueezed(x.Shape, axes, 1)
		if err != nil {
			return err
		}
		c.Set(0, x.Reshape(shape...))
		return nil
	},
	Raise: map[int]func(c *Raising) error{13: func(c *Raising) error { return c.AttrToInput("axes", 1) }},
}

// unsqueezed is the shape with one at the axes, which count in the result.
func unsqueezed[T any](shape []T, axes []int, one T) ([]T, error) {
	axes, err := normAxes(axes, len(shape)+len(axes))
	if err != nil {
		return nil, err
	}
	out := slices.Clone(shape)
	slices.Sort(axes)
	for _, a := range axes {
		out = slices.Insert(out, a, one)
	}
	return out, nil
}
