package op

import (
	"context"
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// pooling is a pooling window over the planes of an operand.
type pooling struct {
	*placed
	x      []float64
	planes int // batch × channels
	shape  []int
}

// pooling places the node's window on t, of numeric type.
func (c *Eval) pooling(t *tensor.Tensor) (*pooling, error) {
	if t.Rank() < 3 {
		return nil, fmt.Errorf("the input is %v; at least three dimensions are needed", t)
	}
	w, err := slideOf(c.Node, t.Rank()-2, nil)
	if err != nil {
		return nil, err
	}
	p, err := w.over(t.Shape[2:])
	if err != nil {
		return nil, err
	}
	return &pooling{
		placed: p, x: tensor.Float64s(t), planes: t.Shape[0] * t.Shape[1],
		shape: append([]int{t.Shape[0], t.Shape[1]}, p.out...),
	}, nil
}

// each calls f for every kernel element and plane with the rows at which the
// element lies inside the input. The planes are those of the input and output.
func (p *pooling) each(ctx context.Context, f func(in, out int, spans []span)) error {
	inPlane, outPlane := tensor.Len(p.in), tensor.Len(p.out)
	var spans []span
	at := make([]int, len(p.kernel))
	for inPlane*outPlane*p.planes > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		spans = p.spans(at, spans[:0])
		for i := range p.planes {
			f(i*inPlane, i*outPlane, spans)
		}
		if !nextPosition(at, p.kernel) {
			break
		}
	}
	return nil
}

// counts is the number of elements that each window holds of the input or, when
// padding counts, of the padded input.
func (p *placed) counts(padding bool) []float64 {
	q := *p
	if padding {
		q.in, q.begin = make([]int, len(p.in)), make([]int, len(p.in))
		for i, n := range p.in {
			q.in[i] = p.begin[i] + n + p.end[i]
		}
	}
	// The count is the product over the axes of the counts along each.
	out := []float64{1}
	for axis := range q.in {
		next := make([]float64, 0, len(out)*q.out[axis])
		for _, v := range out {
			for o := range q.out[axis] {
				n := 0
				for k := range q.kernel[axis] {
					if i := o*q.stride[axis] + k*q.dilation[axis] - q.begin[axis]; i >= 0 && i < q.in[axis] {
						n++
					}
				}
				next = append(next, v*float64(n))
			}
		}
		out = next
	}
	return out
}

// inferPool sets result 0 of a pooling node.
func inferPool(c *Shape) error {
	x := c.In[0]
	c.Set(0, ir.UnrankedType(x.DType))
	if ok, err := c.inferRank(0, 3); !ok {
		return err
	}
	w, err := slideOf(c.Node, len(x.Shape)-2, nil)
	if err != nil {
		return err
	}
	spatial, err := w.outDims(x.Shape[2:])
	if err != nil {
		return err
	}
	c.Set(0, ir.TensorType(x.DType, append([]ir.Dim{x.Shape[0], x.Shape[1]}, spatial...)...))
	return nil
}

// globalPool makes a row of an operator that turns each plane into one number.
func globalPool(name string, versions []int, make func(c *Eval) (func(plane []float64) float64, error)) Def {
	return Def{
		Name: name, Versions: versions, In: Arity{1, 1}, Out: Arity{1, 1},
		Infer: func(c *Shape) error {
			x := c.In[0]
			c.Set(0, ir.UnrankedType(x.DType))
			if ok, err := c.inferRank(0, 2); !ok {
				return err
			}
			out := append([]ir.Dim(nil), x.Shape...)
			fill(out[2:], ir.Known(1))
			c.Set(0, ir.TensorType(x.DType, out...))
			return nil
		},
		Eval: func(c *Eval) error {
			t := c.needRank(0, 2)
			f, err := make(c)
			if err != nil {
				return err
			}
			shape := append([]int(nil), t.Shape...)
			fill(shape[2:], 1)
			plane := tensor.Len(t.Shape[2:])
			x := c.reals(0)
			y := c.zeros(shape...)
			for i := range y {
				y[i] = f(x[i*plane : (i+1)*plane])
			}
			c.rounded(0, t.Type, shape, y)
			return nil
		},
	}
}

// raiseNormOrder makes the attribute p, at first a float, an integer.
var raiseNormOrder = map[int]func(*Raising) error{
	2: func(r *Raising) error {
		p, ok := r.Node.Attr("p").(float32)
		if !ok {
			return nil
		}
		if p != float32(int64(p)) {
			return fmt.Errorf("the order %v of the norm has no newer form; it must be an integer", p)
		}
		r.Patch.SetAttrs(r.Node, ir.WithAttr(r.Node.Attrs, "p", int64(p)))
		return nil
	},
}

// normOrder reads the attribute p of a norm: an integer, or in the first
// versions a float.
func normOrder(n *ir.Node) (float64, error) {
	p := float64(n.Float("p", 2))
	if _, ok := n.Attr("p").(int64); ok {
		p = float64(n.Int("p", 2))
	}
	if p <= 0 {
		return 0, fmt.Errorf("attribute p is %v; it must be positive", p)
	}
	return p, nil
}
