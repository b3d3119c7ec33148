package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// expandDef broadcasts to a shape. https://onnx.ai/onnx/operators/onnx__Expand.html
var expandDef = Def{
	Name: "Expand", Versions: []int{8, 13}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		want, ok := c.Data(1)
		if !ok || !x.Ranked {
			c.Set(0, ir.UnrankedType(x.DType))
			return nil
		}
		dims := make([]ir.Dim, len(want))
		for i, e := range want {
			dims[i] = dimOf(e)
		}
		shape, err := broadcastDims(x.Shape, dims)
		if err != nil {
			return err
		}
		c.Set(0, ir.TensorType(x.DType, shape...))
		return c.moveData(0, []int{0}, func(alloc mover, in []*tensor.Tensor) (*tensor.Tensor, error) {
			sizes, _ := c.Out[0].Sizes()
			return alloc.expanded(in[0], sizes), nil
		})
	},
	Eval: func(c *Eval) error {
		x, want := c.Need(0), c.Ints(1)
		if slices.ContainsFunc(want, func(n int) bool { return n < 0 }) {
			return fmt.Errorf("negative dimension in shape %v", want)
		}
		shape, err := broadcast(x.Shape, want)
		if err != nil {
			return err
		}
		c.Set(0, mover(c.New).expanded(x, shape))
		return nil
	},
}

// expanded broadcasts t to a shape that it can be broadcast to.
func (alloc mover) expanded(t *tensor.Tensor, shape []int) *tensor.Tensor {
	return alloc.dense(region{t, 0, broadcastStrides(t.Shape, shape)}, shape)
}

// tileDef repeats a tensor along its axes. https://onnx.ai/onnx/operators/onnx__Tile.html
var tileDef = Def{
	Name: "Tile", Versions: []int{1, 6, 13}, In: Arity{2, 3}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		if !x.Ranked {
			c.Set(0, x)
			return nil
		}
		shape := make([]ir.Dim, len(x.Shape))
		for i := range shape {
			shape[i] = ir.Unknown
		}
		repeats, ok := c.Data(1)
		if c.Version < 6 || !ok {
			c.Set(0, ir.TensorType(x.DType, shape...))
			return nil
		}
		if len(repeats) != len(shape) {
			return fmt.Errorf("%d repeats for %v", len(repeats), x)
		}
		for i, r := range repeats {
			switch {
			case isNumber(r) && r.N >= 0:
				shape[i] = times(x.Shape[i], r.N)
			case x.Shape[i] == ir.Known(1):
				shape[i] = dimOf(r)
			}
		}
		c.Set(0, ir.TensorType(x.DType, shape...))
		if list, ok := numbers(repeats); ok {
			return c.moveData(0, []int{0}, func(alloc mover, in []*tensor.Tensor) (*tensor.Tensor, error) {
				return alloc.tiled(in[0], list), nil
			})
		}
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		repeats := c.Ints(1)
		if c.Version < 6 {
			if len(c.In) < 3 || len(repeats) != 1 || len(c.Ints(2)) != 1 {
				return fmt.Errorf("version 1 takes the number of tiles and an axis")
			}
			axis, err := normAxis(c.Ints(2)[0], x.Rank())
			if err != nil {
				return err
			}
			tiles := repeats[0]
			repeats = make([]int, x.Rank())
			for i := range repeats {
				repeats[i] = 1
			}
			repeats[axis] = tiles
		}
		if len(repeats) != x.Rank() || slices.ContainsFunc(repeats, func(n int) bool { return n < 0 }) {
			return fmt.Errorf("repeats %v for %v", repeats, x)
		}
		c.Set(0, mover(c.New).tiled(x, repeats))
		return nil
	},
	Raise: map[int]func(c *Raising) error{6: raiseTile},
}

// tiled repeats t: along every axis first the repetitions, then the tensor.
func (alloc mover) tiled(t *tensor.Tensor, repeats []int) *tensor.Tensor {
	own := strides(t.Shape)
	var shape, st, out []int
	for i, d := range t.Shape {
		shape, st, out = append(shape, repeats[i], d), append(st, 0, own[i]), append(out, repeats[i]*d)
		if d > 0 && repeats[i]*d/d != repeats[i] {
			out[i] = -1 // the allocation reports it
		}
	}
	result := alloc(t.Type, out...)
	copyRegion(region{result, 0, strides(shape)}, region{t, 0, st}, shape)
	return result
}

func raiseTile(c *Raising) error {
	n := c.Node
	rank, err := c.Rank(0)
	if err != nil {
		return err
	}
	if len(n.In) != 3 || n.In[1].Const == nil || n.In[2].Const == nil {
		return fmt.Errorf("the number of tiles and the axis must be constants")
	}
	tiles, err := scalarInt(n.In[1].Const)
	if err != nil {
		return err
	}
	axis, err := scalarInt(n.In[2].Const)
	if err != nil {
		return err
	}
	if axis, err = normAxis(axis, rank); err != nil {
		return err
	}
	repeats := make([]int64, rank)
	for i := range repeats {
		repeats[i] = 1
	}
	repeats[axis] = int64(tiles)
	c.ConstInput(1, "repeats", tensor.Of([]int{rank}, repeats))
	c.Patch.SetInput(n, 2, nil)
	return nil
}
