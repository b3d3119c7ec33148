package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// scalarInt reads an integer tensor of one element.
func scalarInt(t *tensor.Tensor) (int, error) {
	list, err := intsOf(t)
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("%v where one number is expected", t)
	}
	if err != nil {
		return 0, err
	}
	return list[0], nil
}

// Int returns an integer operand of one element; it abandons the evaluation
// when there is none.
func (c *Eval) Int(i int) int {
	n, err := scalarInt(c.Need(i))
	if err != nil {
		panic(refusal{fmt.Errorf("operand %d: %w", i, err)})
	}
	return n
}

// Float returns a numeric operand of one element; it abandons the evaluation
// when there is none.
func (c *Eval) Float(i int) float64 {
	t := c.Need(i)
	if t.Len() != 1 || !isNumeric(t.Type) {
		panic(refusal{fmt.Errorf("operand %d: %v where one number is expected", i, t)})
	}
	return tensor.Float64s(t)[0]
}

// Bool returns a boolean operand of one element; it abandons the evaluation
// when there is none.
func (c *Eval) Bool(i int) bool {
	t := c.Need(i)
	if t.Type != tensor.Bool || t.Len() != 1 {
		panic(refusal{fmt.Errorf("operand %d: %v where one truth value is expected", i, t)})
	}
	return tensor.Data[bool](t)[0]
}

// Sequence returns operand i as a sequence; it abandons the evaluation when it
// is none.
func (c *Eval) Sequence(i int) *Sequence {
	var x Val
	if i < len(c.In) {
		x = c.In[i]
	}
	if o, ok := x.(*Optional); ok && o != nil {
		x = o.Elem
	}
	s, ok := x.(*Sequence)
	if !ok || s == nil {
		panic(refusal{fmt.Errorf("operand %d must be a sequence", i)})
	}
	return s
}

// isNumeric reports whether elements convert to numbers; Bool does.
func isNumeric(t tensor.DType) bool { return t.IsFloat() || t.IsInt() || t == tensor.Bool }

// dtypeAttr is the element type that an attribute names by its number, def when
// absent.
func dtypeAttr(n *ir.Node, name string, def tensor.DType) (tensor.DType, error) {
	v := n.Int(name, int(def))
	if v < 0 || v > 255 || v != 0 && !tensor.DType(v).Valid() {
		return 0, fmt.Errorf("%s %d is not an element type", name, v)
	}
	return tensor.DType(v), nil
}

// unknownDims is a shape of which only the rank is known.
func unknownDims(rank int) []ir.Dim {
	out := make([]ir.Dim, rank)
	for i := range out {
		out[i] = ir.Unknown
	}
	return out
}
