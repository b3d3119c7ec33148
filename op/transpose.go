package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// transposeDef permutes axes. https://onnx.ai/onnx/operators/onnx__Transpose.html
var transposeDef = Def{
	Name: "Transpose", Versions: []int{1, 13, 21, 23, 24, 25}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.In[0]
		if !t.Ranked {
			c.Set(0, t)
			return nil
		}
		perm, err := permutation(c.Node, len(t.Shape))
		if err != nil {
			return err
		}
		dims := make([]ir.Dim, len(perm))
		for i, p := range perm {
			dims[i] = t.Shape[p]
		}
		c.Set(0, ir.TensorType(t.DType, dims...))
		return c.moveData(0, []int{0}, func(alloc mover, in []*tensor.Tensor) (*tensor.Tensor, error) {
			return alloc.transposed(in[0], perm), nil
		})
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		perm, err := permutation(c.Node, x.Rank())
		if err != nil {
			return err
		}
		c.Set(0, mover(c.New).transposed(x, perm))
		return nil
	},
}

// permutation is the node's "perm", by default the axes in reverse.
func permutation(n *ir.Node, rank int) ([]int, error) {
	perm := n.Ints("perm")
	if perm == nil {
		perm = make([]int, rank)
		for i := range perm {
			perm[i] = rank - 1 - i
		}
	}
	if len(perm) != rank {
		return nil, fmt.Errorf("perm %v for a tensor of rank %d", perm, rank)
	}
	return normAxes(perm, rank)
}
