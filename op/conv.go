package op

import (
	"context"
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// convDef is convolution. https://onnx.ai/onnx/operators/onnx__Conv.html
var convDef = Def{
	Name: "Conv", Versions: []int{1, 11, 22}, In: Arity{2, 3}, Out: Arity{1, 1},
	MACs: convMACs(1), Infer: func(c *Shape) error { return inferConv(c, 0, 1, c.In[0].DType) },
	Eval: evalConv,
}

func evalConv(c *Eval) error {
	y, shape, err := convSums(c)
	if err == nil {
		c.rounded(0, c.Tensor(0).Type, shape, y)
	}
	return err
}

// convSums is the convolution of operands 0 and 1 plus the bias, operand 2.
func convSums(c *Eval) (y []float64, shape []int, err error) {
	s, err := newConvShape(c.Node, c.Need(0).Shape, c.Need(1).Shape)
	if err != nil {
		return nil, nil, err
	}
	x, w, b := c.reals(0), c.reals(1), c.optReals(2, s.filters)
	y = c.zeros(s.outShape()...)
	plane := tensor.Len(s.out)
	if b != nil {
		for i := range s.batch * s.filters {
			fill(y[i*plane:(i+1)*plane], b[i%s.filters])
		}
	}
	return y, s.outShape(), convolve(c.Ctx, s, y, x, w)
}

// convShape is the shape of a convolution: input [batch, group·channels,
// in...], weights [filters, channels, kernel...].
type convShape struct {
	*placed
	batch, group, channels, filters int
}

func newConvShape(n *ir.Node, x, w []int) (*convShape, error) {
	if err := checkConvRanks(len(x), len(w)); err != nil {
		return nil, err
	}
	win, err := slideOf(n, len(x)-2, w[2:])
	if err != nil {
		return nil, err
	}
	for i, k := range win.kernel {
		if k != w[2+i] || k == 0 {
			return nil, fmt.Errorf("kernel_shape %v and weights of shape %v do not agree", win.kernel, w)
		}
	}
	group := n.Int("group", 1)
	if group < 1 || x[1] != w[1]*group || w[0]%group != 0 {
		return nil, fmt.Errorf("an input of shape %v, weights of shape %v and %d groups do not fit together", x, w, group)
	}
	p, err := win.over(x[2:])
	if err != nil {
		return nil, err
	}
	return &convShape{placed: p, batch: x[0], group: group, channels: w[1], filters: w[0]}, nil
}

func checkConvRanks(x, w int) error {
	if x < 3 || x != w {
		return fmt.Errorf("an input of %d and weights of %d dimensions; both need the same number, at least 3", x, w)
	}
	return nil
}

func (s *convShape) outShape() []int { return append([]int{s.batch, s.filters}, s.out...) }

// accumulator lists the element types that sums are formed in.
type accumulator interface{ float64 | int32 }

// convolve adds to y the convolution of x and w.
func convolve[T accumulator](ctx context.Context, s *convShape, y, x, w []T) error {
	p := s.merged()
	kernel, inPlane, outPlane := tensor.Len(p.kernel), tensor.Len(p.in), tensor.Len(p.out)
	if len(y) == 0 || len(x) == 0 {
		return nil
	}
	perGroup := s.filters / s.group
	var spans []span
	at := make([]int, len(p.kernel))
	for k := 0; ; k++ {
		spans = p.spans(at, spans[:0])
		for i := range s.batch * s.filters {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, m := i/s.filters, i%s.filters
			yp := y[i*outPlane:][:outPlane]
			for ch := range s.channels {
				v := w[(m*s.channels+ch)*kernel+k]
				xp := x[((n*s.group+m/perGroup)*s.channels+ch)*inPlane:][:inPlane]
				addRows(yp, xp, v, spans, p.step())
			}
		}
		if !nextPosition(at, p.kernel) {
			return nil
		}
	}
}

// addRows adds v times the input elements of each span to its windows. The
// conversion keeps product and sum apart on machines that would fuse them.
func addRows[T accumulator](y, x []T, v T, spans []span, step int) {
	for _, sp := range spans {
		row := y[sp.out:][:sp.n]
		if step == 1 {
			src := x[sp.in:][:len(row)]
			for i := range row {
				row[i] += T(v * src[i])
			}
			continue
		}
		src := x[sp.in:]
		for i, j := 0, 0; i < len(row); i, j = i+1, j+step {
			row[i] += T(v * src[j])
		}
	}
}

func fill[T any](list []T, v T) {
	for i := range list {
		list[i] = v
	}
}

// inferConv sets the type of a convolution of operands x and w.
func inferConv(c *Shape, x, w int, t tensor.DType) error {
	xt, wt := c.In[x], c.In[w]
	c.Set(0, ir.UnrankedType(t))
	rank := xt.Rank()
	if rank < 0 {
		rank = wt.Rank()
	}
	if rank < 0 {
		return nil
	}
	if wt.Ranked {
		if err := checkConvRanks(rank, wt.Rank()); err != nil {
			return err
		}
	}
	out := unknownDims(rank)
	out[0], out[1] = dimAt(xt, 0), dimAt(wt, 0)
	if group := c.Node.Int("group", 1); dimAt(xt, 1).IsKnown() && dimAt(wt, 1).IsKnown() && xt.Shape[1].N != wt.Shape[1].N*group {
		return fmt.Errorf("an input of type %v, weights of type %v and %d groups do not fit together", xt, wt, group)
	}
	spatial, err := inferSlide(c, xt, wt, rank)
	if err != nil {
		return err
	}
	copy(out[2:], spatial)
	c.Set(0, ir.TensorType(t, out...))
	return nil
}

// inferSlide is the spatial part of a convolution's result.
func inferSlide(c *Shape, xt, wt ir.Type, rank int) ([]ir.Dim, error) {
	kernel := c.Node.Ints("kernel_shape")
	if kernel == nil && wt.Ranked {
		kernel = make([]int, rank-2)
		for i, d := range wt.Shape[2:] {
			if !d.IsKnown() {
				return unknownDims(rank - 2), nil
			}
			kernel[i] = d.N
		}
	}
	if kernel == nil || !xt.Ranked {
		return unknownDims(rank - 2), nil
	}
	win, err := slideOf(c.Node, rank-2, kernel)
	if err != nil {
		return nil, err
	}
	return win.outDims(xt.Shape[2:])
}
