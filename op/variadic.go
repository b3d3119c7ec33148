package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// variadicDef is the row of an operation over any number of broadcast operands.
func variadicDef(name string, versions []int, k arith, mean bool) Def {
	return Def{
		Name: name, Versions: versions, In: Arity{1, Variadic}, Out: Arity{1, 1},
		Infer: func(c *Shape) error {
			if len(c.In) == 1 {
				if elems, ok := c.Data(0); ok {
					c.SetData(0, elems)
				}
			}
			if len(c.In) == 2 && k == opMin {
				zipData(c, numeric2(func(a, b int) (int, bool) { return min(a, b), true }))
			}
			if len(c.In) == 2 && k == opMax {
				zipData(c, maxDim)
			}
			t, err := broadcastType(c.In[0].DType, c.In...)
			c.Set(0, t)
			return err
		},
		Eval: func(c *Eval) error {
			acc := c.Need(0)
			if !acc.Type.IsFloat() && !acc.Type.IsInt() {
				return unsupported(acc.Type)
			}
			for i := 1; i < len(c.In); i++ {
				x := c.Need(i)
				if x.Type != acc.Type {
					return fmt.Errorf("operands have different element types, %v and %v", acc, x)
				}
				shape, err := broadcast(acc.Shape, x.Shape)
				if err != nil {
					return err
				}
				if acc, err = combine(c, k, acc, x, shape); err != nil {
					return err
				}
			}
			if mean {
				n, err := tensor.FromFloat64s(acc.Type, nil, []float64{float64(len(c.In))})
				if err != nil {
					return err
				}
				if acc, err = combine(c, opDiv, acc, n, acc.Shape); err != nil {
					return err
				}
			}
			c.Set(0, acc)
			return nil
		},
		Raise: map[int]func(*Raising) error{6: dropConsumed},
	}
}

// maxDim knows that a dimension is never negative and so wins against numbers
// below 1 except where it may be 0 itself.
func maxDim(a, b ir.Dim) ir.Dim {
	if isNumber(a) && !isNumber(b) {
		a, b = b, a
	}
	if !isNumber(a) && isNumber(b) && b.N <= 0 && a.Sym != unknownElem {
		return a
	}
	return numeric2(func(a, b int) (int, bool) { return max(a, b), true })(a, b)
}

// dropConsumed removes the attribute with which operator set 1 allowed
// computing in place.
func dropConsumed(r *Raising) error {
	r.DropAttrs("consumed_inputs")
	return nil
}

var (
	maxDef  = variadicDef("Max", []int{1, 6, 8, 12, 13}, opMax, false)
	minDef  = variadicDef("Min", []int{1, 6, 8, 12, 13}, opMin, false)
	sumDef  = variadicDef("Sum", []int{1, 6, 8, 13}, opAdd, false)
	meanDef = variadicDef("Mean", []int{1, 6, 8, 13}, opAdd, true)
)
