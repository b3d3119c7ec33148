package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// gatherDef picks positions along an axis. https://onnx.ai/onnx/operators/onnx__Gather.html
var gatherDef = Def{
	Name: "Gather", Versions: []int{1, 11, 13}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: inferGather,
	Eval: func(c *Eval) error {
		out, err := gather(c.New, c.Need(0), c.Ints(1), c.Need(1).Shape, c.Node.Int("axis", 0))
		c.Set(0, out)
		return err
	},
}

// gather picks the positions at, which have the given shape, along an axis.
func gather(alloc mover, x *tensor.Tensor, at, shape []int, axis int) (*tensor.Tensor, error) {
	axis, err := normAxis(axis, x.Rank())
	if err != nil {
		return nil, err
	}
	at = slices.Clone(at)
	for k, i := range at {
		if at[k], err = normIndex(i, x.Shape[axis]); err != nil {
			return nil, err
		}
	}
	out := alloc.taken(x, axis, at)
	return out.Reshape(slices.Concat(x.Shape[:axis], shape, x.Shape[axis+1:])...), nil
}

// normIndex maps a possibly negative index into an axis of length n.
func normIndex(i, n int) (int, error) {
	if i < -n || i >= n {
		return 0, fmt.Errorf("index %d is outside an axis of length %d", i, n)
	}
	if i < 0 {
		i += n
	}
	return i, nil
}

func inferGather(c *Shape) error {
	x, at := c.In[0], c.In[1]
	if !x.Ranked || !at.Ranked {
		c.Set(0, ir.UnrankedType(x.DType))
		return nil
	}
	axis, err := normAxis(c.Node.Int("axis", 0), len(x.Shape))
	if err != nil {
		return err
	}
	c.Set(0, ir.TensorType(x.DType, slices.Concat(x.Shape[:axis], at.Shape, x.Shape[axis+1:])...))
	positions, ok := c.Ints(1)
	shape, sized := at.Sizes()
	if !ok || !sized || tensor.Len(shape) != len(positions) {
		return nil
	}
	return c.moveData(0, []int{0}, func(alloc mover, in []*tensor.Tensor) (*tensor.Tensor, error) {
		return gather(alloc, in[0], positions, shape, axis)
	})
}

// gatherElementsDef picks one element per index.
// https://onnx.ai/onnx/operators/onnx__GatherElements.html
var gatherElementsDef = Def{
	Name: "GatherElements", Versions: []int{11, 13}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.In[1]
		t.Kind, t.DType = ir.KindTensor, c.In[0].DType
		c.Set(0, t)
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		out := c.New(x.Type, c.Need(1).Shape...)
		err := eachElement(x.Shape, c.Need(1), c.Node.Int("axis", 0), func(at, k int) {
			copyElems(out, k, x, at, 1)
		})
		c.Set(0, out)
		return err
	},
}

// eachElement calls f for every element k of an index tensor with the position
// in a tensor of the given shape that it addresses: its own place, with the
// index in place of the coordinate along axis.
func eachElement(shape []int, index *tensor.Tensor, axis int, f func(at, k int)) error {
	axis, err := normAxis(axis, len(shape))
	if err != nil {
		return err
	}
	if index.Rank() != len(shape) {
		return fmt.Errorf("indices %v for a tensor of rank %d", index, len(shape))
	}
	for i, n := range index.Shape {
		if i != axis && n > shape[i] {
			return fmt.Errorf("indices %v for a tensor of shape %v", index, shape)
		}
	}
	list, err := intsOf(index)
	if err != nil {
		return err
	}
	st := strides(shape)
	pos := make([]int, len(shape))
	for k, i := range list {
		if i, err = normIndex(i, shape[axis]); err != nil {
			return err
		}
		at := (i - pos[axis]) * st[axis]
		for d, p := range pos {
			at += p * st[d]
		}
		f(at, k)
		for d := len(pos) - 1; d >= 0; d-- {
			if pos[d]++; pos[d] < index.Shape[d] {
				break
			}
			pos[d] = 0
		}
	}
	return nil
}

// gatherNDDef picks slices by index tuples. https://onnx.ai/onnx/operators/onnx__GatherND.html
var gatherNDDef = Def{
	Name: "GatherND", Versions: []int{11, 12, 13}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x, at := c.In[0], c.In[1]
		c.Set(0, ir.UnrankedType(x.DType))
		if !x.Ranked || !at.Ranked || len(at.Shape) == 0 {
			return nil
		}
		last, b := at.Shape[len(at.Shape)-1], c.Node.Int("batch_dims", 0)
		if !last.IsKnown() {
			return nil
		}
		if b < 0 || b >= len(at.Shape) || b+last.N > len(x.Shape) {
			return fmt.Errorf("indices %v with %d batch axes for %v", at, b, x)
		}
		c.Set(0, ir.TensorType(x.DType, slices.Concat(at.Shape[:len(at.Shape)-1], x.Shape[b+last.N:])...))
		return nil
	},
	Eval: func(c *Eval) error {
		x, index := c.Need(0), c.Need(1)
		b := c.Node.Int("batch_dims", 0)
		if index.Rank() == 0 || b < 0 || b >= index.Rank() || b > x.Rank() || !slices.Equal(index.Shape[:b], x.Shape[:b]) {
			return fmt.Errorf("indices %v with %d batch axes for %v", index, b, x)
		}
		k := index.Shape[index.Rank()-1]
		if b+k > x.Rank() {
			return fmt.Errorf("index tuples of length %d for %v with %d batch axes", k, x, b)
		}
		out := c.New(x.Type, slices.Concat(index.Shape[:index.Rank()-1], x.Shape[b+k:])...)
		block := tensor.Len(x.Shape[b+k:])
		err := eachTuple(x.Shape, index, b, func(at, i int) { copyElems(out, i*block, x, at, block) })
		c.Set(0, out)
		return err
	},
}

// eachTuple calls f for the i-th index tuple with the position in a tensor of
// the given shape where the slice that it addresses begins. The first batch axes
// of both run together.
func eachTuple(shape []int, index *tensor.Tensor, batch int, f func(at, i int)) error {
	list, err := intsOf(index)
	if err != nil {
		return err
	}
	k := index.Shape[index.Rank()-1]
	count := tensor.Len(index.Shape[:index.Rank()-1])
	batches := tensor.Len(shape[:batch])
	if batches == 0 || k == 0 && tensor.Len(shape) == 0 {
		return nil
	}
	st := strides(shape)
	perBatch := count / batches
	size := tensor.Len(shape[batch:])
	for i := range count {
		at := i / perBatch * size
		for d, x := range list[i*k : (i+1)*k] {
			if x, err = normIndex(x, shape[batch+d]); err != nil {
				return err
			}
			at += x * st[batch+d]
		}
		f(at, i)
	}
	return nil
}
