package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// reshapeDef gives the elements another shape. https://onnx.ai/onnx/operators/onnx__Reshape.html
var reshapeDef = Def{
	Name: "Reshape", Versions: []int{1, 5, 13, 14, 19, 21, 23, 24, 25}, In: Arity{1, 2}, Out: Arity{1, 1},
	Infer: inferReshape,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		var want []int
		if c.Version < 5 {
			want = c.Node.Ints("shape")
		} else {
			want = c.Ints(1)
		}
		shape, err := reshaped(x.Shape, want, c.Node.Int("allowzero", 0) != 0)
		if err != nil {
			return err
		}
		c.Set(0, x.Reshape(shape...))
		return nil
	},
	Raise: map[int]func(c *Raising) error{5: func(c *Raising) error {
		c.DropAttrs("consumed_inputs")
		return c.AttrToInput("shape", 1)
	}},
}

// reshaped resolves the 0 and -1 of a requested shape.
func reshaped(from, want []int, allowZero bool) ([]int, error) {
	out := make([]int, len(want))
	free := -1
	for i, d := range want {
		switch {
		case d == -1 && free >= 0:
			return nil, fmt.Errorf("shape %v has two free dimensions", want)
		case d == -1:
			free, out[i] = i, 1
		case d < 0:
			return nil, fmt.Errorf("negative dimension in shape %v", want)
		case d == 0 && !allowZero && i >= len(from):
			return nil, fmt.Errorf("shape %v keeps dimension %d of a tensor of rank %d", want, i, len(from))
		case d == 0 && !allowZero:
			out[i] = from[i]
		default:
			out[i] = d
		}
	}
	n, err := tensor.CheckedLen(out)
	if err != nil {
		return nil, err
	}
	have := tensor.Len(from)
	if free >= 0 {
		if n == 0 {
			return nil, fmt.Errorf("the free dimension of shape %v could have any size", want)
		}
		out[free] = have / n
		n *= out[free]
	}
	if n != have {
		return nil, fmt.Errorf("shape %v for the %d elements of %v", want, have, from)
	}
	return out, nil
}

func inferReshape(c *Shape) error {
	x := c.In[0]
	want, ok := c.Data(1)
	if c.Version < 5 {
		want, ok = knownElems(c.Node.Ints("shape")), true
	}
	switch {
	case ok:
		shape, err := reshapedDims(x, want, c.Node.Int("allowzero", 0) != 0)
		if err != nil {
			return err
		}
		c.Set(0, ir.TensorType(x.DType, shape...))
	case len(c.In) > 1 && c.In[1].Rank() == 1 && c.In[1].Shape[0].IsKnown() && c.In[1].Shape[0].N <= maxData:
		shape := make([]ir.Dim, c.In[1].Shape[0].N)
		for i := range shape {
			shape[i] = ir.Unknown
		}
		if n, ok := count(x); ok && len(shape) == 1 {
			shape[0] = n
		}
		c.Set(0, ir.TensorType(x.DType, shape...))
	default:
		c.Set(0, ir.UnrankedType(x.DType))
	}
	if elems, ok := c.Data(0); ok {
		c.SetData(0, elems)
	}
	return nil
}

// reshapedDims is reshaped for symbolic shapes. The one dimension that the
// request leaves open is what remains of x after equal symbols cancel.
func reshapedDims(x ir.Type, want []ir.Dim, allowZero bool) ([]ir.Dim, error) {
	if sizes, ok := x.Sizes(); ok {
		if list, ok := numbers(want); ok {
			shape, err := reshaped(sizes, list, allowZero)
			return ir.Dims(shape), err
		}
	}
	out := make([]ir.Dim, len(want))
	left := remainder{n: 1, ok: x.Ranked}
	if x.Ranked {
		left.multiply(x.Shape)
	}
	open := -1
	for i, d := range want {
		switch {
		case isNumber(d) && d.N == 0 && !allowZero:
			out[i] = ir.Unknown
			if x.Ranked && i >= len(x.Shape) {
				return nil, fmt.Errorf("shape %v keeps dimension %d of %v", want, i, x)
			}
			if x.Ranked {
				out[i] = x.Shape[i]
			}
			left.divide(out[i])
		case isNumber(d) && d.N >= 0, !isNumber(d) && d.Sym != unknownElem:
			out[i] = d
			left.divide(d)
		default: // -1 or an element that is not known
			out[i] = ir.Unknown
			left.ok = left.ok && open < 0
			open = i
		}
	}
	if open >= 0 {
		if d, ok := left.dim(); ok {
			out[open] = d
		}
		return out, nil
	}
	if d, ok := left.dim(); ok && d.IsKnown() && d.N != 1 {
		return nil, fmt.Errorf("shape %v does not have as many elements as %v", want, x)
	}
	return out, nil
}

// remainder is a product of dimensions divided by others: n/den times symbols
// over symbols.
type remainder struct {
	n, den    int
	over      []ir.Dim // symbols, and unknown dimensions of the operand
	under     []ir.Dim
	ok, empty bool
}

func (r *remainder) multiply(dims []ir.Dim) {
	r.den = 1
	for _, d := range dims {
		switch {
		case d.IsKnown() && d.N == 0:
			r.empty = true
		case d.IsKnown():
			r.n *= d.N
		default:
			r.over = append(r.over, d)
		}
	}
}

func (r *remainder) divide(d ir.Dim) {
	switch {
	case d.IsKnown() && d.N == 0:
		r.ok = false
	case d.IsKnown():
		r.den *= d.N
	default:
		for i, o := range r.over {
			if o == d {
				r.over = append(r.over[:i:i], r.over[i+1:]...)
				return
			}
		}
		r.under = append(r.under, d)
	}
}

// dim is the remainder as one dimension, where it is one.
func (r *remainder) dim() (ir.Dim, bool) {
	if !r.ok || r.empty || len(r.under) > 0 || len(r.over) > 1 || r.den == 0 {
		return ir.Unknown, false
	}
	switch {
	case len(r.over) == 1:
		return r.over[0], r.n == r.den && r.over[0] != ir.Unknown
	case r.n%r.den != 0 || r.n/r.den < 0:
		return ir.Unknown, false
	}
	return ir.Known(r.n / r.den), true
}

// count is the number of elements of a type, where it is one dimension.
func count(t ir.Type) (ir.Dim, bool) {
	if !t.Ranked {
		return ir.Unknown, false
	}
	r := remainder{n: 1, ok: true}
	r.multiply(t.Shape)
	if r.empty {
		return ir.Known(0), true
	}
	return r.dim()
}

// flattenDef makes a matrix of a tensor. https://onnx.ai/onnx/operators/onnx__Flatten.html
var flattenDef = Def{
	Name: "Flatten", Versions: []int{1, 9, 11, 13, 21, 23, 24, 25}, In: Arity{1, 1}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		if !x.Ranked {
			c.Set(0, ir.TensorType(x.DType, ir.Unknown, ir.Unknown))
			return nil
		}
		axis, err := flattenAxis(c.Node, len(x.Shape))
		if err != nil {
			return err
		}
		rows, _ := count(ir.TensorType(x.DType, x.Shape[:axis]...))
		cols, _ := count(ir.TensorType(x.DType, x.Shape[axis:]...))
		c.Set(0, ir.TensorType(x.DType, rows, cols))
		if elems, ok := c.Data(0); ok {
			c.SetData(0, elems)
		}
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		axis, err := flattenAxis(c.Node, x.Rank())
		if err != nil {
			return err
		}
		c.Set(0, x.Reshape(tensor.Len(x.Shape[:axis]), tensor.Len(x.Shape[axis:])))
		return nil
	},
}

// flattenAxis is the number of leading axes that become the first one; it may be
// the rank itself.
func flattenAxis(n *ir.Node, rank int) (int, error) {
	axis := n.Int("axis", 1)
	if axis < -rank || axis > rank {
		return 0, fmt.Errorf("axis %d is outside a tensor of rank %d", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}
