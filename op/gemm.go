package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// gemmDef is alpha·A·B + beta·C with optional transpositions; C is broadcast to
// the result. https://onnx.ai/onnx/operators/onnx__Gemm.html
var gemmDef = Def{
	Name: "Gemm", Versions: []int{1, 6, 7, 9, 11, 13}, In: Arity{2, 3}, Out: Arity{1, 1},
	MACs: productMACs(0),
	Infer: func(c *Shape) error {
		a, b := c.In[0], c.In[1]
		m, n := ir.Unknown, ir.Unknown
		ta, tb := c.Node.Int("transA", 0) != 0, c.Node.Int("transB", 0) != 0
		var k, l ir.Dim
		if a.Ranked {
			if len(a.Shape) != 2 {
				return fmt.Errorf("operand A is %v, not a matrix; put a Flatten before it", a)
			}
			m, k = swapIf(ta, a.Shape[0], a.Shape[1])
		}
		if b.Ranked {
			if len(b.Shape) != 2 {
				return fmt.Errorf("operand B is %v, not a matrix", b)
			}
			l, n = swapIf(tb, b.Shape[0], b.Shape[1])
		}
		if a.Ranked && b.Ranked && k.IsKnown() && l.IsKnown() && k != l {
			return fmt.Errorf("inner dimensions of %v and %v differ", a, b)
		}
		c.Set(0, ir.TensorType(a.DType, m, n))
		return nil
	},
	Eval: func(c *Eval) error {
		a, b := c.Need(0), c.Need(1)
		if a.Rank() != 2 || b.Rank() != 2 {
			return fmt.Errorf("operands %v and %v must be matrices", a, b)
		}
		if c.Node.Int("transA", 0) != 0 {
			a = transposed(c, a)
		}
		if c.Node.Int("transB", 0) != 0 {
			b = transposed(c, b)
		}
		alpha, beta := float64(c.Node.Float("alpha", 1)), float64(c.Node.Float("beta", 1))
		out, err := gemm(c, alpha, a, b, beta, c.Tensor(2))
		c.Set(0, out)
		return err
	},
	Raise: map[int]func(*Raising) error{7: raiseBroadcast},
}

func swapIf[T any](swap bool, a, b T) (T, T) {
	if swap {
		return b, a
	}
	return a, b
}

// transposed swaps the axes of a matrix.
func transposed(c *Eval, t *tensor.Tensor) *tensor.Tensor {
	m, n := t.Shape[0], t.Shape[1]
	return take(c, t, []int{n, m}, indexGrid([]int{n, m}, []int{1, n}))
}

// gemm computes floats in float64 and rounds once; integers stay integers
// where alpha and beta are 1.
func gemm(c *Eval, alpha float64, a, b *tensor.Tensor, beta float64, bias *tensor.Tensor) (*tensor.Tensor, error) {
	if a.Type.IsInt() && alpha == 1 && beta == 1 {
		out, err := matMul(c, a, b)
		if err != nil || bias == nil {
			return out, err
		}
		return combine(c, opAdd, out, bias, out.Shape)
	}
	p, err := planMatMul(a.Shape, b.Shape)
	if err != nil {
		return nil, err
	}
	if !a.Type.IsFloat() && !a.Type.IsInt() || a.Type != b.Type || bias != nil && bias.Type != a.Type {
		return nil, fmt.Errorf("operands %v and %v are not of one numeric type", a, b)
	}
	c.fits(tensor.Float64, p.shape)
	y := make([]float64, p.m*p.n)
	multiply[float64, float64](p, y, tensor.Float64s(a), tensor.Float64s(b))
	for i := range y {
		y[i] *= alpha
	}
	if bias != nil && beta != 0 {
		if full, err := broadcast(p.shape, bias.Shape); err != nil || !slices.Equal(full, p.shape) {
			return nil, fmt.Errorf("operand C is %v, which cannot be broadcast to %v", bias, p.shape)
		}
		z := tensor.Float64s(bias)
		rows(p.shape, [][]int{bias.Shape}, func(at, n int, index, step []int) {
			for i := range n {
				y[at+i] += beta * z[index[0]+i*step[0]]
			}
		})
	}
	return tensor.FromFloat64s(a.Type, p.shape, y)
}
