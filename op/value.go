package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// TypeOfVal is the type of a run-time value; the unknown type for nil.
func TypeOfVal(x Val) ir.Type {
	switch x := x.(type) {
	case *tensor.Tensor:
		return ir.TypeOf(x)
	case *Sequence:
		elem := x.Type
		return ir.Type{Kind: ir.KindSequence, Elem: &elem}
	case *Optional:
		elem := x.Type
		return ir.Type{Kind: ir.KindOptional, Elem: &elem}
	}
	return ir.Type{}
}

// New returns a zeroed tensor for a result. Above the interpreter's bound it
// abandons the evaluation, which then reports ErrTooLarge; allocate through it
// wherever a size follows from the contents of operands.
func (c *Eval) New(t tensor.DType, shape ...int) *tensor.Tensor {
	c.fits(t, shape)
	return tensor.New(t, shape...)
}

// fits abandons the evaluation when a tensor would be above the bound.
func (c *Eval) fits(t tensor.DType, shape []int) {
	n, err := tensor.CheckedLen(shape)
	if err != nil {
		panic(refusal{err})
	}
	limit := c.limit
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	bits := t.Bits()
	if t == tensor.String {
		bits = 128
	}
	// In floats: the product of large shapes does not fit an integer.
	if bytes := float64(n) * float64(bits) / 8; bytes > float64(limit) {
		panic(refusal{fmt.Errorf("%w: %v%v has %.0f bytes, the bound is %d", ErrTooLarge, t, shape, bytes, limit)})
	}
}

// Need returns operand i as a tensor, and abandons the evaluation with an error
// when it is left out or is not a tensor.
func (c *Eval) Need(i int) *tensor.Tensor {
	t := c.Tensor(i)
	if t == nil {
		panic(refusal{fmt.Errorf("operand %d must be a tensor", i)})
	}
	return t
}

// Ints returns an integer tensor operand (axes, shapes, repeats) as ints. It
// abandons the evaluation when the operand is not an integer tensor.
func (c *Eval) Ints(i int) []int {
	list, err := intsOf(c.Need(i))
	if err != nil {
		panic(refusal{fmt.Errorf("operand %d: %w", i, err)})
	}
	return list
}

// intsOf converts an Int64 or Int32 tensor.
func intsOf(t *tensor.Tensor) ([]int, error) {
	out := make([]int, t.Len())
	switch t.Type {
	case tensor.Int64:
		for i, x := range tensor.Data[int64](t) {
			out[i] = int(x)
		}
	case tensor.Int32:
		for i, x := range tensor.Data[int32](t) {
			out[i] = int(x)
		}
	default:
		return nil, fmt.Errorf("%v where an integer tensor is expected", t)
	}
	return out, nil
}

// unsupported reports an element type that the operator does not allow.
func unsupported(t tensor.DType) error {
	return fmt.Errorf("the operator is not defined for elements of type %v", t)
}
