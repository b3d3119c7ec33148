package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// alignLegacy gives the second operand of a binary operator the shape that
// operator sets before 7 mean by the attributes broadcast and axis: its
// dimensions stand under those of the first from axis on.
func alignLegacy[T any](n *ir.Node, version int, a, b []T, one T) []T {
	if version >= 7 || n.Int("broadcast", 0) == 0 || !n.Has("axis") {
		return b
	}
	axis := n.Int("axis", 0)
	if axis < 0 {
		axis += len(a)
	}
	out := append([]T(nil), b...)
	for len(out) < len(a)-axis {
		out = append(out, one)
	}
	return out
}

// operands2 returns the two operands of a broadcasting operator, aligned, and
// the shape of its result. same asks for equal element types.
func operands2(c *Eval, same bool) (a, b *tensor.Tensor, shape []int, err error) {
	a, b = c.Need(0), c.Need(1)
	if same && a.Type != b.Type {
		return nil, nil, nil, fmt.Errorf("operands have different element types, %v and %v", a, b)
	}
	if s := alignLegacy(c.Node, c.Version, a.Shape, b.Shape, 1); len(s) != len(b.Shape) {
		b = b.Reshape(s...)
	}
	shape, err = broadcast(a.Shape, b.Shape)
	return a, b, shape, err
}

// zip combines two operands element by element under broadcasting.
func zip[A, B, R any](shape []int, out []R, a []A, as []int, b []B, bs []int, f func(A, B) R) {
	rows(shape, [][]int{as, bs}, func(at, n int, index, step []int) {
		i, j := index[0], index[1]
		for k := range n {
			out[at+k] = f(a[i], b[j])
			i += step[0]
			j += step[1]
		}
	})
}

// broadcastType is the type of a broadcast of the given operands with elements
// of type t.
func broadcastType(t tensor.DType, in ...ir.Type) (ir.Type, error) {
	shapes := make([][]ir.Dim, len(in))
	for i, x := range in {
		if !x.Ranked {
			return ir.UnrankedType(t), nil
		}
		shapes[i] = x.Shape
	}
	shape, err := broadcastDims(shapes...)
	if err != nil {
		return ir.Type{}, err
	}
	return ir.TensorType(t, shape...), nil
}

// binaryInfer is the shape rule of broadcasting operators of two operands; t is
// the element type of the result, Undefined for that of the operands.
func binaryInfer(t tensor.DType, same bool) func(c *Shape) error {
	return func(c *Shape) error {
		a, b := c.In[0], c.In[1]
		if same && a.DType != tensor.Undefined && b.DType != tensor.Undefined && a.DType != b.DType {
			return fmt.Errorf("operands have different element types, %v and %v", a, b)
		}
		if a.Ranked && b.Ranked {
			b.Shape = alignLegacy(c.Node, c.Version, a.Shape, b.Shape, ir.Known(1))
		}
		dt := t
		if dt == tensor.Undefined {
			dt = a.DType
			if same && dt == tensor.Undefined {
				dt = b.DType
			}
		}
		out, err := broadcastType(dt, a, b)
		if err != nil {
			return err
		}
		c.Set(0, out)
		return nil
	}
}

// zipData combines the known elements of two small integer operands, of which
// one may be a scalar.
func zipData(c *Shape, f func(a, b ir.Dim) ir.Dim) {
	a, okA := c.Data(0)
	b, okB := c.Data(1)
	if !okA || !okB || !c.In[0].Ranked || !c.In[1].Ranked {
		return
	}
	n := max(len(a), len(b))
	if len(a) == 0 || len(b) == 0 {
		n = 0
	}
	if len(a) != n && len(a) != 1 || len(b) != n && len(b) != 1 {
		return
	}
	out := make([]ir.Dim, n)
	for i := range out {
		out[i] = f(a[i%max(len(a), 1)], b[i%max(len(b), 1)])
	}
	c.SetData(0, out)
}
