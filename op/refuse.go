package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// refuse abandons an evaluation: the operands or attributes do not fit together
// in the way that the message says.
func refuse(format string, args ...any) { panic(refusal{fmt.Errorf(format, args...)}) }

// check abandons an evaluation where err is set.
func check(err error) {
	if err != nil {
		panic(refusal{err})
	}
}

// reals returns operand i, a tensor of a floating-point type, as float64
// numbers. The elements are shared with the operand where it is Float64.
func (c *Eval) reals(i int) []float64 {
	t := c.Need(i)
	if !t.Type.IsFloat() {
		refuse("operand %d is %v; floating-point elements are needed", i, t)
	}
	return tensor.Float64s(t)
}

// numbers returns operand i, a tensor of any numeric type or Bool, as float64
// numbers.
func (c *Eval) numbers(i int) []float64 {
	t := c.Need(i)
	if !isNumeric(t.Type) {
		refuse("operand %d is %v; numbers are needed", i, t)
	}
	return tensor.Float64s(t)
}

// optReals is reals of an operand of n elements; nil where it is left out.
func (c *Eval) optReals(i, n int) []float64 {
	if !c.Has(i) {
		return nil
	}
	c.needLen(i, n)
	return c.reals(i)
}

// needLen demands that operand i has n elements.
func (c *Eval) needLen(i, n int) {
	if t := c.Need(i); t.Len() != n {
		refuse("operand %d is %v; %d elements are needed", i, t, n)
	}
}

// needRank demands that operand i has at least the given rank.
func (c *Eval) needRank(i, rank int) *tensor.Tensor {
	t := c.Need(i)
	if t.Rank() < rank {
		refuse("operand %d is %v; at least %d dimensions are needed", i, t, rank)
	}
	return t
}

// needShape demands that operand i has exactly the given shape; -1 stands for
// any size.
func (c *Eval) needShape(i int, shape ...int) *tensor.Tensor {
	t := c.Need(i)
	fits := t.Rank() == len(shape)
	for k := 0; fits && k < len(shape); k++ {
		fits = shape[k] < 0 || t.Shape[k] == shape[k]
	}
	if !fits {
		refuse("operand %d is %v; the shape %v is needed", i, t, shape)
	}
	return t
}

// rounded stores result i: float64 numbers rounded once to the element type.
func (c *Eval) rounded(i int, t tensor.DType, shape []int, values []float64) {
	out, err := tensor.FromFloat64s(t, shape, values)
	check(err)
	c.Set(i, out)
}

// zeros is an array of float64 working values for a result of the given shape,
// under the same bound as New.
func (c *Eval) zeros(shape ...int) []float64 {
	return tensor.Data[float64](c.New(tensor.Float64, shape...))
}

// dimAt is dimension i of t, Unknown where the rank is not known.
func dimAt(t ir.Type, i int) ir.Dim {
	if !t.Ranked || i >= len(t.Shape) {
		return ir.Unknown
	}
	return t.Shape[i]
}

// sameDim is what is known of a dimension that two operands share.
func sameDim(a, b ir.Dim) ir.Dim {
	if a == ir.Unknown || b.IsKnown() {
		return b
	}
	return a
}

// inferRank demands that a ranked operand has at least the given rank and
// reports whether the rank is known.
func (c *Shape) inferRank(i, rank int) (known bool, err error) {
	t := c.In[i]
	if !t.Ranked {
		return false, nil
	}
	if len(t.Shape) < rank {
		return false, fmt.Errorf("operand %d is %v; at least %d dimensions are needed", i, t, rank)
	}
	return true, nil
}
