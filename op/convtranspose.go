package op

import (
	"context"
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// convTransposeDef is transposed convolution: the gradient of a convolution
// with respect to its input. https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
var convTransposeDef = Def{
	Name: "ConvTranspose", Versions: []int{1, 11, 22}, In: Arity{2, 3}, Out: Arity{1, 1},
	MACs: convTransposeMACs, Infer: inferConvTranspose,
	Eval: evalConvTranspose,
}

func evalConvTranspose(c *Eval) error {
	x, w := c.Need(0), c.Need(1)
	if err := checkConvRanks(x.Rank(), w.Rank()); err != nil {
		return err
	}
	t, err := newTransposition(c.Node, x.Rank()-2, w.Shape[2:])
	if err != nil {
		return err
	}
	group := c.Node.Int("group", 1)
	if group < 1 || x.Shape[1] != w.Shape[0] || w.Shape[0]%group != 0 {
		return fmt.Errorf("an input of shape %v, weights of shape %v and %d groups do not fit together", x.Shape, w.Shape, group)
	}
	// The convolution whose gradient this is reads big and writes small.
	p := &placed{out: x.Shape[2:], kernel: t.kernel, stride: t.stride, dilation: t.dilation}
	for axis, n := range x.Shape[2:] {
		big, begin, err := t.size(axis, n)
		if err != nil {
			return err
		}
		p.in = append(p.in, big)
		p.begin = append(p.begin, begin)
	}
	s := &convShape{placed: p, batch: x.Shape[0], group: group, channels: w.Shape[1], filters: w.Shape[0]}
	shape := append([]int{s.batch, group * s.channels}, p.in...)
	y := c.zeros(shape...)
	if b := c.optReals(2, shape[1]); b != nil {
		plane := tensor.Len(p.in)
		for i := range s.batch * shape[1] {
			fill(y[i*plane:(i+1)*plane], b[i%shape[1]])
		}
	}
	if err := deconvolve(c.Ctx, s, y, c.reals(0), c.reals(1)); err != nil {
		return err
	}
	c.rounded(0, x.Type, shape, y)
	return nil
}

// deconvolve adds to y, of the size of the input of convolution s, what x, of
// the size of its output, contributes through the weights w.
func deconvolve(ctx context.Context, s *convShape, y, x, w []float64) error {
	kernel, inPlane, outPlane := tensor.Len(s.kernel), tensor.Len(s.in), tensor.Len(s.out)
	if len(y) == 0 || len(x) == 0 || kernel == 0 {
		return nil
	}
	perGroup := s.filters / s.group
	var spans []span
	at := make([]int, len(s.kernel))
	for k := 0; ; k++ {
		spans = s.spans(at, spans[:0])
		for i := range s.batch * s.filters {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, m := i/s.filters, i%s.filters
			xp := x[i*outPlane:][:outPlane]
			for ch := range s.channels {
				v := w[(m*s.channels+ch)*kernel+k]
				yp := y[((n*s.group+m/perGroup)*s.channels+ch)*inPlane:][:inPlane]
				for _, sp := range spans {
					dst := yp[sp.in:]
					for j, u := range xp[sp.out:][:sp.n] {
						dst[j*s.step()] += float64(v * u)
					}
				}
			}
		}
		if !nextPosition(at, s.kernel) {
			return nil
		}
	}
}

// transposition is the geometry of a transposed convolution.
type transposition struct {
	*slide
	more  []int // output_padding
	wants []int // output_shape; nil when not given
}

func newTransposition(n *ir.Node, axes int, kernel []int) (*transposition, error) {
	w, err := slideOf(n, axes, kernel)
	if err != nil {
		return nil, err
	}
	for i, k := range w.kernel {
		if i < len(kernel) && kernel[i] != k || k == 0 {
			return nil, fmt.Errorf("kernel_shape %v and weights with the kernel %v do not agree", w.kernel, kernel)
		}
	}
	t := &transposition{slide: w}
	if t.more, err = slideAttr(n, "output_padding", axes, 0, filled(axes, 0)); err != nil {
		return nil, err
	}
	list := n.Ints("output_shape")
	if len(list) == axes+2 {
		list = list[2:] // some exporters write the whole shape
		n = &ir.Node{Attrs: []ir.Attr{ir.IntsAttr("output_shape", list...)}}
	}
	if t.wants, err = slideAttr(n, "output_shape", axes, 0, nil); err != nil {
		return nil, err
	}
	return t, nil
}

// size is the extent of the result along an axis of n input elements, and the
// padding cut off at its beginning.
func (t *transposition) size(axis, n int) (out, begin int, err error) {
	full := t.stride[axis]*(n-1) + t.more[axis] + t.extent(axis)
	same := t.auto == "SAME_UPPER" || t.auto == "SAME_LOWER"
	switch {
	case t.wants != nil:
		out = t.wants[axis]
	case same:
		out = n * t.stride[axis]
	case t.auto == "VALID":
		return full, 0, nil
	default:
		begin = t.begin[axis]
		if out = full - begin - t.end[axis]; out < 0 {
			return 0, 0, fmt.Errorf("padding by %d and %d leaves nothing of %d elements (spatial axis %d)", begin, t.end[axis], full, axis)
		}
		return out, begin, nil
	}
	total := max(0, full-out)
	if t.auto == "SAME_UPPER" {
		return out, total / 2, nil
	}
	return out, total - total/2, nil
}

func inferConvTranspose(c *Shape) error {
	x, w := c.In[0], c.In[1]
	c.Set(0, ir.UnrankedType(x.DType))
	rank := max(x.Rank(), w.Rank())
	if rank < 0 {
		return nil
	}
	if x.Ranked && w.Ranked {
		if err := checkConvRanks(x.Rank(), w.Rank()); err != nil {
			return err
		}
	}
	out := unknownDims(rank)
	out[0] = dimAt(x, 0)
	if d := dimAt(w, 1); d.IsKnown() {
		out[1] = ir.Known(d.N * c.Node.Int("group", 1))
	}
	kernel := c.Node.Ints("kernel_shape")
	if kernel == nil && w.Ranked {
		for _, d := range w.Shape[2:] {
			kernel = append(kernel, max(1, d.N))
		}
		if _, ok := (ir.Type{Kind: ir.KindTensor, Ranked: true, Shape: w.Shape[2:]}).Sizes(); !ok {
			kernel = nil
		}
	}
	if kernel != nil {
		t, err := newTransposition(c.Node, rank-2, kernel)
		if err != nil {
			return err
		}
		for i := range rank - 2 {
			switch d := dimAt(x, 2+i); {
			case d.IsKnown():
				n, _, err := t.size(i, d.N)
				if err != nil {
					return err
				}
				out[2+i] = ir.Known(n)
			case t.wants != nil:
				out[2+i] = ir.Known(t.wants[i])
			}
		}
	}
	c.Set(0, ir.TensorType(x.DType, out...))
	return nil
}
