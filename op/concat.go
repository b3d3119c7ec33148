package op

import (
	"errors"
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// concatDef joins tensors along an axis. https://onnx.ai/onnx/operators/onnx__Concat.html
var concatDef = Def{
	Name: "Concat", Versions: []int{1, 4, 11, 13}, In: Arity{1, Variadic}, Out: Arity{1, 1},
	Infer: inferConcat,
	Eval: func(c *Eval) error {
		parts := make([]*tensor.Tensor, len(c.In))
		for i := range c.In {
			parts[i] = c.Need(i)
		}
		// The axis had the default 1 in version 1 and is required since.
		out, err := concat(c.New, parts, c.Node.Int("axis", 1))
		c.Set(0, out)
		return err
	},
	Raise: map[int]func(c *Raising) error{4: func(c *Raising) error {
		if !c.Node.Has("axis") {
			c.Patch.SetAttrs(c.Node, ir.WithAttr(c.Node.Attrs, "axis", int64(1)))
		}
		return nil
	}},
}

// concat joins tensors that agree in type and in all axes but one.
func concat(alloc mover, parts []*tensor.Tensor, axis int) (*tensor.Tensor, error) {
	if len(parts) == 0 {
		return nil, errors.New("nothing to concatenate")
	}
	axis, err := normAxis(axis, parts[0].Rank())
	if err != nil {
		return nil, err
	}
	first := parts[0]
	for _, p := range parts[1:] {
		ok := p.Type == first.Type && p.Rank() == first.Rank()
		for i := 0; ok && i < p.Rank(); i++ {
			ok = i == axis || p.Shape[i] == first.Shape[i]
		}
		if !ok {
			return nil, fmt.Errorf("%v and %v cannot be joined along axis %d", first, p, axis)
		}
	}
	return alloc.joined(parts, axis), nil
}

func inferConcat(c *Shape) error {
	out := ir.UnrankedType(c.In[0].DType)
	sum, ranked := ir.Known(0), true
	for _, t := range c.In {
		if out.DType == tensor.Undefined {
			out.DType = t.DType
		}
		ranked = ranked && t.Ranked
		if !t.Ranked {
			continue
		}
		axis, err := normAxis(c.Node.Int("axis", 1), len(t.Shape))
		if err != nil {
			return err
		}
		sum = plus(sum, t.Shape[axis])
		other := ir.TensorType(out.DType, append([]ir.Dim(nil), t.Shape...)...)
		other.Shape[axis] = ir.Unknown
		if out, err = ir.Merge(out, other); err != nil {
			return err
		}
	}
	if out.Ranked && ranked {
		axis, err := normAxis(c.Node.Int("axis", 1), len(out.Shape))
		if err != nil {
			return err
		}
		out.Shape[axis] = sum
	}
	c.Set(0, out)
	all := make([]int, len(c.In))
	for i := range all {
		all[i] = i
	}
	return c.moveData(0, all, func(alloc mover, in []*tensor.Tensor) (*tensor.Tensor, error) {
		return concat(alloc, in, c.Node.Int("axis", 1))
	})
}

// plus is a+b, as far as it is known.
func plus(a, b ir.Dim) ir.Dim {
	switch {
	case a == ir.Known(0):
		return b
	case b == ir.Known(0):
		return a
	case a.IsKnown() && b.IsKnown():
		return ir.Known(a.N + b.N)
	}
	return ir.Unknown
}
