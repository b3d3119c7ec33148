package op

import (
	"errors"
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// sequenceOf is the type of a sequence of elem.
func sequenceOf(elem ir.Type) ir.Type { return ir.Type{Kind: ir.KindSequence, Elem: &elem} }

// elemOfSequence is the element type of operand i, unknown where it is.
func (c *Shape) elemOfSequence(i int) ir.Type {
	t := c.In[i]
	if t.Kind == ir.KindOptional && t.Elem != nil {
		t = *t.Elem
	}
	if t.Kind != ir.KindSequence || t.Elem == nil {
		return ir.Type{}
	}
	return *t.Elem
}

// sequenceEmptyDef is a sequence of nothing.
// https://onnx.ai/onnx/operators/onnx__SequenceEmpty.html
var sequenceEmptyDef = Def{
	Name: "SequenceEmpty", Versions: []int{11}, In: Arity{0, 0}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t, err := dtypeAttr(c.Node, "dtype", tensor.Float32)
		c.Set(0, sequenceOf(ir.UnrankedType(t)))
		return err
	},
	Eval: func(c *Eval) error {
		t, err := dtypeAttr(c.Node, "dtype", tensor.Float32)
		c.Set(0, &Sequence{Type: ir.UnrankedType(t)})
		return err
	},
}

// sequenceConstructDef is the sequence of its operands.
// https://onnx.ai/onnx/operators/onnx__SequenceConstruct.html
var sequenceConstructDef = Def{
	Name: "SequenceConstruct", Versions: []int{11}, In: Arity{1, Variadic}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.In[0]
		for _, u := range c.In[1:] {
			if u.DType != t.DType && u.DType != tensor.Undefined && t.DType != tensor.Undefined {
				return fmt.Errorf("elements of types %v and %v", t, u)
			}
			t = common(t, u)
		}
		c.Set(0, sequenceOf(t))
		return nil
	},
	Eval: func(c *Eval) error {
		first := c.Need(0)
		for i := range c.In {
			if c.Need(i).Type != first.Type {
				return fmt.Errorf("elements of types %v and %v", first.Type, c.Need(i).Type)
			}
		}
		c.Set(0, &Sequence{Elems: slices.Clone(c.In), Type: ir.UnrankedType(first.Type)})
		return nil
	},
}

// sequenceAtDef is one element. https://onnx.ai/onnx/operators/onnx__SequenceAt.html
var sequenceAtDef = Def{
	Name: "SequenceAt", Versions: []int{11}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		c.Set(0, c.elemOfSequence(0))
		return nil
	},
	Eval: func(c *Eval) error {
		s := c.Sequence(0)
		i, err := normIndex(c.Int(1), len(s.Elems))
		if err != nil {
			return err
		}
		c.Set(0, s.Elems[i])
		return nil
	},
}

// sequenceLengthDef is the number of elements.
// https://onnx.ai/onnx/operators/onnx__SequenceLength.html
var sequenceLengthDef = Def{
	Name: "SequenceLength", Versions: []int{11}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		c.Set(0, ir.TensorType(tensor.Int64))
		return nil
	},
	Eval: func(c *Eval) error {
		c.Set(0, tensor.Scalar(int64(len(c.Sequence(0).Elems))))
		return nil
	},
}

// sequenceInsertDef puts an element in, by default at the end.
// https://onnx.ai/onnx/operators/onnx__SequenceInsert.html
var sequenceInsertDef = Def{
	Name: "SequenceInsert", Versions: []int{11}, In: Arity{2, 3}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t, x := c.elemOfSequence(0), c.In[1]
		if t.DType != x.DType && t.DType != tensor.Undefined && x.DType != tensor.Undefined {
			return fmt.Errorf("element of type %v into a sequence of %v", x, t)
		}
		if t.Kind == ir.KindUnknown {
			t = ir.UnrankedType(x.DType)
		}
		c.Set(0, sequenceOf(common(t, x)))
		return nil
	},
	Eval: func(c *Eval) error {
		s, x := c.Sequence(0), c.Need(1)
		if s.Type.DType != tensor.Undefined && s.Type.DType != x.Type {
			return fmt.Errorf("element of type %v into a sequence of %v", x, s.Type)
		}
		at := len(s.Elems)
		if c.Has(2) {
			i := c.Int(2)
			if i < -at || i > at {
				return fmt.Errorf("position %d in a sequence of length %d", i, at)
			}
			if i < 0 {
				i += at
			}
			at = i
		}
		c.Set(0, &Sequence{Elems: slices.Insert(slices.Clone(s.Elems), at, Val(x)), Type: ir.UnrankedType(x.Type)})
		return nil
	},
}

// sequenceEraseDef takes an element out, by default the last.
// https://onnx.ai/onnx/operators/onnx__SequenceErase.html
var sequenceEraseDef = Def{
	Name: "SequenceErase", Versions: []int{11}, In: Arity{1, 2}, Out: Arity{1, 1},
	Infer: inferSame,
	Eval: func(c *Eval) error {
		s, at := c.Sequence(0), -1
		if c.Has(1) {
			at = c.Int(1)
		}
		at, err := normIndex(at, len(s.Elems))
		if err != nil {
			return err
		}
		c.Set(0, &Sequence{Elems: slices.Delete(slices.Clone(s.Elems), at, at+1), Type: s.Type})
		return nil
	},
}

// concatFromSequenceDef joins the elements along an axis, a new one if asked.
// https://onnx.ai/onnx/operators/onnx__ConcatFromSequence.html
var concatFromSequenceDef = Def{
	Name: "ConcatFromSequence", Versions: []int{11}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.elemOfSequence(0)
		if !t.Ranked {
			if t.Kind == ir.KindTensor {
				c.Set(0, ir.UnrankedType(t.DType))
			}
			return nil
		}
		shape, axis := slices.Clone(t.Shape), c.Node.Int("axis", 0)
		if c.Node.Int("new_axis", 0) != 0 {
			var err error
			if shape, err = unsqueezed(shape, []int{axis}, ir.Unknown); err != nil {
				return err
			}
		}
		axis, err := normAxis(axis, len(shape))
		if err != nil {
			return err
		}
		shape[axis] = ir.Unknown
		c.Set(0, ir.TensorType(t.DType, shape...))
		return nil
	},
	Eval: func(c *Eval) error {
		parts, err := tensorsOf(c.Sequence(0))
		if err != nil {
			return err
		}
		axis := c.Node.Int("axis", 0)
		if c.Node.Int("new_axis", 0) != 0 {
			for i, p := range parts {
				shape, err := unsqueezed(p.Shape, []int{axis}, 1)
				if err != nil {
					return err
				}
				parts[i] = p.Reshape(shape...)
			}
		}
		out, err := concat(c.New, parts, axis)
		c.Set(0, out)
		return err
	},
}

// tensorsOf lists the elements of a sequence of tensors.
func tensorsOf(s *Sequence) ([]*tensor.Tensor, error) {
	out := make([]*tensor.Tensor, len(s.Elems))
	for i, e := range s.Elems {
		t, ok := e.(*tensor.Tensor)
		if !ok || t == nil {
			return nil, errors.New("an element of the sequence is not a tensor")
		}
		out[i] = t
	}
	return out, nil
}

// splitToSequenceDef cuts a tensor along an axis into a sequence.
// https://onnx.ai/onnx/operators/onnx__SplitToSequence.html
var splitToSequenceDef = Def{
	Name: "SplitToSequence", Versions: []int{11, 24}, In: Arity{1, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.In[0]
		if !t.Ranked {
			c.Set(0, sequenceOf(ir.UnrankedType(t.DType)))
			return nil
		}
		axis, err := normAxis(c.Node.Int("axis", 0), len(t.Shape))
		if err != nil {
			return err
		}
		shape := slices.Clone(t.Shape)
		switch {
		case c.Has(1):
			shape[axis] = ir.Unknown
		case c.Node.Int("keepdims", 1) == 0:
			shape = slices.Delete(shape, axis, axis+1)
		default:
			shape[axis] = ir.Known(1)
		}
		c.Set(0, sequenceOf(ir.TensorType(t.DType, shape...)))
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		axis, err := normAxis(c.Node.Int("axis", 0), x.Rank())
		if err != nil {
			return err
		}
		sizes, err := chunkSizes(c, x.Shape[axis])
		if err != nil {
			return err
		}
		drop := !c.Has(1) && c.Node.Int("keepdims", 1) == 0
		out := &Sequence{Type: ir.UnrankedType(x.Type)}
		for _, part := range mover(c.New).cut(x, axis, sizes) {
			if drop {
				part = part.Reshape(reduced(part.Shape, []int{axis}, false, 1)...)
			}
			out.Elems = append(out.Elems, part)
		}
		c.Set(0, out)
		return nil
	},
}

// chunkSizes are the lengths of the parts of an axis of length n: a scalar
// operand is the length of each, a vector lists them, the default is 1.
func chunkSizes(c *Eval, n int) ([]int, error) {
	size := 1
	if c.Has(1) && c.Need(1).Rank() > 0 {
		list := c.Ints(1)
		sum := 0
		for _, s := range list {
			if s < 0 || s > n {
				return nil, fmt.Errorf("parts %v of an axis of length %d", list, n)
			}
			sum += s
		}
		if sum != n {
			return nil, fmt.Errorf("parts %v of an axis of length %d", list, n)
		}
		return list, nil
	}
	if c.Has(1) {
		size = c.Int(1)
	}
	if size < 1 || n/size > DefaultMaxBytes/64 {
		return nil, fmt.Errorf("parts of length %d of an axis of length %d", size, n)
	}
	var out []int
	for left := n; left > 0; left -= size {
		out = append(out, min(size, left))
	}
	return out, nil
}
