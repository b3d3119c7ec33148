package op

import (
	"pare/ir"
	"pare/tensor"
)

// argDef is the row of ArgMax or ArgMin: the position of the extreme element
// along an axis, the first one unless select_last_index says otherwise.
// https://onnx.ai/onnx/operators/onnx__ArgMax.html
func argDef(name string, k arith) Def {
	return Def{
		Name: name, Versions: []int{1, 11, 12, 13}, In: Arity{1, 1}, Out: Arity{1, 1},
		Infer: func(c *Shape) error {
			x := c.In[0]
			if !x.Ranked {
				c.Set(0, ir.UnrankedType(tensor.Int64))
				return nil
			}
			axis, err := normAxis(c.Node.Int("axis", 0), len(x.Shape))
			if err != nil {
				return err
			}
			c.Set(0, ir.TensorType(tensor.Int64, reduced(x.Shape, []int{axis}, c.Node.Int("keepdims", 1) != 0, ir.Known(1))...))
			return nil
		},
		Eval: func(c *Eval) error {
			x := c.Need(0)
			axis, err := normAxis(c.Node.Int("axis", 0), x.Rank())
			if err != nil {
				return err
			}
			axes := []int{axis}
			out := c.New(tensor.Int64, reduced(x.Shape, axes, c.Node.Int("keepdims", 1) != 0, 1)...)
			order := groupOrder(x.Shape, axes)
			src := make([]int, out.Len())
			last := c.Node.Int("select_last_index", 0) != 0
			if last {
				reverseGroups(order, len(src))
			}
			if err := extremes(k, x, order, src); err != nil {
				return err
			}
			_, n, inner := split3(x.Shape, axis)
			y := tensor.Data[int64](out)
			for i, at := range src {
				y[i] = int64(at / inner % n)
			}
			c.Set(0, out)
			return nil
		},
	}
}

func reverseGroups(order []int, n int) {
	if n == 0 {
		return
	}
	size := len(order) / n
	for i := range n {
		g := order[i*size : (i+1)*size]
		for a, b := 0, size-1; a < b; a, b = a+1, b-1 {
			g[a], g[b] = g[b], g[a]
		}
	}
}

var (
	argMaxDef = argDef("ArgMax", opMax)
	argMinDef = argDef("ArgMin", opMin)
)
