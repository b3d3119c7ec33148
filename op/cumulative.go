package op

import (
	"fmt"

	"pare/tensor"
)

// cumulativeDef is the row of a running sum or product along an axis.
// https://onnx.ai/onnx/operators/onnx__CumSum.html
func cumulativeDef(name string, versions []int, k arith, neutral float64) Def {
	return Def{
		Name: name, Versions: versions, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: sameType,
		Eval: func(c *Eval) error {
			x := c.Need(0)
			list := c.Ints(1)
			if len(list) != 1 {
				return fmt.Errorf("the axis must be one number, not %d", len(list))
			}
			axis, err := normAxis(list[0], x.Rank())
			if err != nil {
				return err
			}
			out, err := running(c, x, axis, k, neutral)
			c.Set(0, out)
			return err
		},
	}
}

func running(c *Eval, x *tensor.Tensor, axis int, k arith, neutral float64) (*tensor.Tensor, error) {
	exclusive, reverse := c.Node.Int("exclusive", 0) != 0, c.Node.Int("reverse", 0) != 0
	switch {
	case x.Type.IsInt(): // wrapping in 64 bits and cutting off is wrapping in fewer
		wide, err := tensor.Convert(x, tensor.Int64, tensor.Options{})
		if err != nil {
			return nil, err
		}
		y := runningT(tensor.Data[int64](wide), x.Shape, axis, int64(neutral), exclusive, reverse, intFn[int64](k))
		return tensor.Convert(tensor.Of(x.Shape, y), x.Type, tensor.Options{})
	case x.Type.IsFloat():
		y := runningT(tensor.Float64s(x), x.Shape, axis, neutral, exclusive, reverse, floatFn[float64](k))
		return tensor.FromFloat64s(x.Type, x.Shape, y)
	}
	return nil, unsupported(x.Type)
}

func runningT[T number](x []T, shape []int, axis int, neutral T, exclusive, reverse bool, f func(a, b T) T) []T {
	y := make([]T, len(x))
	outer, n, inner := split3(shape, axis)
	for o := range outer {
		for i := range inner {
			acc := neutral
			for k := range n {
				if reverse {
					k = n - 1 - k
				}
				at := (o*n+k)*inner + i
				next := f(acc, x[at])
				y[at] = next
				if exclusive {
					y[at] = acc
				}
				acc = next
			}
		}
	}
	return y
}

var (
	cumSumDef  = cumulativeDef("CumSum", []int{11, 14}, opAdd, 0)
	cumProdDef = cumulativeDef("CumProd", []int{26}, opMul, 1)
)
