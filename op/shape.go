package op

import (
	"pare/ir"
	"pare/tensor"
)

// shapeDef is the shape of a tensor as data. https://onnx.ai/onnx/operators/onnx__Shape.html
var shapeDef = Def{
	Name: "Shape", Versions: []int{1, 13, 15, 19, 21, 23, 24, 25}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		if !x.Ranked {
			c.Set(0, ir.TensorType(tensor.Int64, ir.Unknown))
			return nil
		}
		lo, hi := shapeRange(c.Node, len(x.Shape))
		c.Set(0, ir.TensorType(tensor.Int64, ir.Known(hi-lo)))
		elems := make([]ir.Dim, 0, hi-lo)
		for _, d := range x.Shape[lo:hi] {
			elems = append(elems, elemOf(d))
		}
		c.SetData(0, elems)
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		lo, hi := shapeRange(c.Node, x.Rank())
		out := c.New(tensor.Int64, hi-lo)
		for i, n := range x.Shape[lo:hi] {
			tensor.Data[int64](out)[i] = int64(n)
		}
		c.Set(0, out)
		return nil
	},
}

// shapeRange clamps the node's "start" and "end" as the operator says.
func shapeRange(n *ir.Node, rank int) (lo, hi int) {
	at := func(i int) int {
		if i < 0 {
			i += rank
		}
		return min(max(i, 0), rank)
	}
	lo, hi = at(n.Int("start", 0)), at(n.Int("end", rank))
	return lo, max(lo, hi)
}

// sizeDef is the number of elements. https://onnx.ai/onnx/operators/onnx__Size.html
var sizeDef = Def{
	Name: "Size", Versions: []int{1, 13, 19, 21, 23, 24, 25}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		c.Set(0, ir.TensorType(tensor.Int64))
		if n, ok := count(c.In[0]); ok {
			c.SetData(0, []ir.Dim{n})
		}
		return nil
	},
	Eval: func(c *Eval) error {
		c.Set(0, tensor.Scalar(int64(c.Need(0).Len())))
		return nil
	},
}
