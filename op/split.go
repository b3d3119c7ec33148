package op

import (
	"errors"
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// splitDef cuts a tensor along an axis. https://onnx.ai/onnx/operators/onnx__Split.html
var splitDef = Def{
	Name: "Split", Versions: []int{1, 2, 11, 13, 18}, In: Arity{1, 2}, Out: Arity{1, Variadic},
	Infer: inferSplit,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		axis, err := normAxis(c.Node.Int("axis", 0), x.Rank())
		if err != nil {
			return err
		}
		var given []int
		if c.Has(1) {
			given = c.Ints(1)
		}
		sizes, err := splitSizes(c.Node, c.Version, given, c.Has(1), x.Shape[axis], len(c.Out))
		if err != nil {
			return err
		}
		for i, part := range mover(c.New).cut(x, axis, sizes) {
			c.Set(i, part)
		}
		return nil
	},
	Raise: map[int]func(c *Raising) error{
		2: func(c *Raising) error {
			if len(c.Node.In) > 1 && c.Node.In[1] != nil {
				return errors.New("the sizes are an operand, which version 2 does not have")
			}
			return nil
		},
		13: func(c *Raising) error { return c.AttrToInput("split", 1) },
		18: func(c *Raising) error {
			if len(c.Node.In) < 2 || c.Node.In[1] == nil {
				c.Patch.SetAttrs(c.Node, ir.WithAttr(c.Node.Attrs, "num_outputs", int64(len(c.Node.Out))))
			}
			return nil
		},
	},
}

// splitSizes are the lengths of the parts of an axis of length n.
func splitSizes(node *ir.Node, version int, given []int, hasInput bool, n, parts int) ([]int, error) {
	if !hasInput && version < 13 && node.Has("split") {
		given, hasInput = node.Ints("split"), true
	}
	if !hasInput {
		parts = node.Int("num_outputs", parts)
		if parts < 1 || parts > 1<<20 {
			return nil, fmt.Errorf("%d parts", parts)
		}
		if version < 18 && n%parts != 0 {
			return nil, fmt.Errorf("an axis of length %d cannot be cut into %d equal parts", n, parts)
		}
		return equalParts(n, parts), nil
	}
	sum := 0
	for _, s := range given {
		if s < 0 || s > n {
			return nil, fmt.Errorf("parts %v of an axis of length %d", given, n)
		}
		sum += s
	}
	if sum != n || len(given) != parts {
		return nil, fmt.Errorf("%d parts %v of an axis of length %d, %d results", len(given), given, n, parts)
	}
	return given, nil
}

// equalParts cuts n into parts of equal length, of which the last may be shorter.
func equalParts(n, parts int) []int {
	size := (n + parts - 1) / parts
	out := make([]int, parts)
	for i := range out {
		out[i] = min(size, n)
		n -= out[i]
	}
	return out
}

// cut returns consecutive parts of the given lengths along an axis.
func (alloc mover) cut(t *tensor.Tensor, axis int, sizes []int) []*tensor.Tensor {
	out := make([]*tensor.Tensor, len(sizes))
	from := whole(t)
	for i, n := range sizes {
		shape := slices.Clone(t.Shape)
		shape[axis] = n
		out[i] = alloc.dense(from, shape)
		from.at += n * from.strides[axis]
	}
	return out
}

func inferSplit(c *Shape) error {
	t := c.In[0]
	for i := range c.Out {
		c.Set(i, ir.UnrankedType(t.DType))
	}
	if !t.Ranked {
		return nil
	}
	axis, err := normAxis(c.Node.Int("axis", 0), len(t.Shape))
	if err != nil {
		return err
	}
	sizes := make([]ir.Dim, len(c.Out))
	for i := range sizes {
		sizes[i] = ir.Unknown
	}
	elems, ok := c.Data(1)
	if c.Version < 13 && c.Node.Has("split") {
		elems, ok = knownElems(c.Node.Ints("split")), true
	}
	switch d := t.Shape[axis]; {
	case ok:
		if len(elems) != len(sizes) {
			return fmt.Errorf("%d parts, %d results", len(elems), len(sizes))
		}
		if list, known := numbers(elems); known && d.IsKnown() {
			if _, err := splitSizes(c.Node, c.Version, list, true, d.N, len(sizes)); err != nil {
				return err
			}
		}
		for i, e := range elems {
			sizes[i] = dimOf(e)
		}
	case c.Has(1):
	case d.IsKnown():
		parts, err := splitSizes(c.Node, c.Version, nil, false, d.N, len(c.Out))
		if err != nil {
			return err
		}
		sizes = ir.Dims(parts)
	case len(c.Out) == 1:
		sizes[0] = d
	}
	for i := range min(len(c.Out), len(sizes)) {
		shape := slices.Clone(t.Shape)
		shape[axis] = sizes[i]
		c.Set(i, ir.TensorType(t.DType, shape...))
	}
	parts, known := ir.TensorType(t.DType, sizes...).Sizes()
	if _, fixed := t.Sizes(); !known || !fixed {
		return nil
	}
	for i := range c.Out {
		err := c.moveData(i, []int{0}, func(alloc mover, in []*tensor.Tensor) (*tensor.Tensor, error) {
			return alloc.cut(in[0], axis, parts)[i], nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
