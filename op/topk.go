package op

import (
	"cmp"
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// topKDef is the k largest or smallest elements along an axis with their
// positions; of equal ones the first comes first. NaN counts as largest.
// https://onnx.ai/onnx/operators/onnx__TopK.html
var topKDef = Def{
	Name: "TopK", Versions: []int{1, 10, 11, 24}, In: Arity{1, 2}, Out: Arity{1, 2},
	Infer: func(c *Shape) error {
		x := c.In[0]
		values, indices := ir.UnrankedType(x.DType), ir.UnrankedType(tensor.Int64)
		if x.Ranked {
			axis, err := normAxis(c.Node.Int("axis", -1), len(x.Shape))
			if err != nil {
				return err
			}
			shape := slices.Clone(x.Shape)
			shape[axis] = ir.Unknown
			if k, ok := topKCount(c); ok {
				shape[axis] = k
			}
			values, indices = ir.TensorType(x.DType, shape...), ir.TensorType(tensor.Int64, shape...)
		}
		c.Set(0, values)
		c.Set(1, indices)
		return nil
	},
	Eval: topKEval,
	Raise: map[int]func(*Raising) error{
		10: func(r *Raising) error {
			r.ConstInput(1, "k", tensor.Of([]int{1}, []int64{int64(r.Node.Int("k", 0))}))
			r.DropAttrs("k")
			return nil
		},
	},
}

// topKCount is the length of the result along the axis, where known.
func topKCount(c *Shape) (ir.Dim, bool) {
	if c.Version < 10 {
		return ir.Known(c.Node.Int("k", 0)), true
	}
	elems, ok := c.Data(1)
	if !ok || len(elems) != 1 || elems[0] == UnknownElem() {
		return ir.Dim{}, false
	}
	return elems[0], true
}

func topKEval(c *Eval) error {
	x := c.Need(0)
	k := c.Node.Int("k", 0)
	if c.Version >= 10 {
		list := c.Ints(1)
		if len(list) != 1 {
			return fmt.Errorf("k must be one number, not %d", len(list))
		}
		k = list[0]
	}
	axis, err := normAxis(c.Node.Int("axis", -1), x.Rank())
	if err != nil {
		return err
	}
	outer, n, inner := split3(x.Shape, axis)
	if k < 0 || k > n {
		return fmt.Errorf("k is %d but the axis has %d elements", k, n)
	}
	order, err := elementOrder(x)
	if err != nil {
		return err
	}
	if c.Node.Int("largest", 1) != 0 {
		smallest := order
		order = func(a, b int) int { return smallest(b, a) }
	}
	shape := slices.Clone(x.Shape)
	shape[axis] = k
	indices := c.New(tensor.Int64, shape...)
	pos := tensor.Data[int64](indices)
	src := make([]int, len(pos))
	row := make([]int, n)
	for o := range outer {
		for i := range inner {
			for j := range row {
				row[j] = (o*n+j)*inner + i
			}
			slices.SortStableFunc(row, order)
			for j, at := range row[:k] {
				to := (o*k+j)*inner + i
				src[to], pos[to] = at, int64(at/inner%n)
			}
		}
	}
	c.Set(0, take(c, x, shape, src))
	c.Set(1, indices)
	return nil
}

// elementOrder compares elements of x by their positions.
func elementOrder(x *tensor.Tensor) (func(a, b int) int, error) {
	switch {
	case x.Type == tensor.Int64:
		d := tensor.Data[int64](x)
		return func(a, b int) int { return cmp.Compare(d[a], d[b]) }, nil
	case x.Type == tensor.Uint64:
		d := tensor.Data[uint64](x)
		return func(a, b int) int { return cmp.Compare(d[a], d[b]) }, nil
	case x.Type.IsFloat():
		d := tensor.Float64s(x)
		return func(a, b int) int {
			switch {
			case d[a] < d[b] || d[b] != d[b] && d[a] == d[a]:
				return -1
			case d[a] > d[b] || d[a] != d[a] && d[b] == d[b]:
				return 1
			}
			return 0
		}, nil
	case x.Type.IsInt():
		d := tensor.Float64s(x)
		return func(a, b int) int { return cmp.Compare(d[a], d[b]) }, nil
	}
	return nil, unsupported(x.Type)
}
