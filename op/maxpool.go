package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// maxPoolDef is the largest element of each window and, when wanted, where in
// the input it lies. https://onnx.ai/onnx/operators/onnx__MaxPool.html
var maxPoolDef = Def{
	Name: "MaxPool", Versions: []int{1, 8, 10, 11, 12, 22}, In: Arity{1, 1}, Out: Arity{1, 2},
	Infer: func(c *Shape) error {
		if err := inferPool(c); err != nil {
			return err
		}
		index := c.Out[0]
		index.DType = tensor.Int64
		c.Set(1, index)
		return nil
	},
	Eval: evalMaxPool,
}

func evalMaxPool(c *Eval) error {
	t := c.Need(0)
	if !t.Type.IsFloat() && t.Type != tensor.Int8 && t.Type != tensor.Uint8 {
		return unsupported(t.Type)
	}
	p, err := c.pooling(t)
	if err != nil {
		return err
	}
	best := c.zeros(p.shape...)
	from := tensor.Data[int64](c.New(tensor.Int64, p.shape...)) // where best lies
	fill(from, -1)
	step := p.step()
	err = p.each(c.Ctx, func(in, out int, spans []span) {
		for _, sp := range spans {
			at := in + sp.in
			for o := out + sp.out; o < out+sp.out+sp.n; o, at = o+1, at+step {
				if v := p.x[at]; from[o] < 0 || v > best[o] || best[o] != best[o] {
					best[o], from[o] = v, int64(at)
				}
			}
		}
	})
	if err != nil {
		return err
	}
	plane := tensor.Len(p.in)
	for o, at := range from {
		if at < 0 {
			return fmt.Errorf("a window lies wholly in the padding; pads %v and %v are too large for the kernel %v", p.begin, p.end, p.kernel)
		}
		if c.Node.Int("storage_order", 0) != 0 {
			from[o] = at - at%int64(plane) + int64(columnMajor(int(at)%plane, p.in))
		}
	}
	c.rounded(0, t.Type, p.shape, best)
	c.Set(1, tensor.Of(p.shape, from))
	return nil
}

// columnMajor turns an index in C order into one in which the first axis runs
// fastest.
func columnMajor(at int, shape []int) int {
	out, size := 0, tensor.Len(shape)
	for i := len(shape) - 1; i >= 0; i-- {
		size /= shape[i]
		out += at % shape[i] * size
		at /= shape[i]
	}
	return out
}

// globalMaxPoolDef is the largest element of each plane.
// https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html
var globalMaxPoolDef = globalPool("GlobalMaxPool", []int{1, 22}, func(*Eval) (func([]float64) float64, error) {
	return func(plane []float64) float64 {
		best := math.Inf(-1)
		for _, v := range plane {
			best = max(best, v)
		}
		return best
	}, nil
})

// maxUnpoolDef puts pooled elements back to where they were, among zeros.
// https://onnx.ai/onnx/operators/onnx__MaxUnpool.html
var maxUnpoolDef = Def{
	Name: "MaxUnpool", Versions: []int{9, 11, 22}, In: Arity{2, 3}, Out: Arity{1, 1},
	Infer: inferMaxUnpool,
	Eval:  evalMaxUnpool,
}

func evalMaxUnpool(c *Eval) error {
	x := c.needRank(0, 3)
	c.needShape(1, x.Shape...)
	if c.Tensor(1).Type != tensor.Int64 {
		return fmt.Errorf("the indices are %v; i64 elements are needed", c.Tensor(1))
	}
	pooled, err := unpooledDims(c.Node, ir.Dims(x.Shape))
	if err != nil {
		return err
	}
	inner, _ := ir.TensorType(x.Type, pooled...).Sizes()
	shape := inner
	if c.Has(2) {
		shape = c.Ints(2)
	}
	if len(shape) != len(inner) {
		return fmt.Errorf("output_shape %v must have %d entries", shape, len(inner))
	}
	// Indices count in the shape that the attributes give; a larger
	// output_shape only adds zeros behind.
	src := c.reals(0)
	y := c.zeros(shape...)
	st := strides(shape)
	for i, at := range tensor.Data[int64](c.Tensor(1)) {
		if at < 0 || at >= int64(tensor.Len(inner)) {
			return fmt.Errorf("index %d is outside the shape %v", at, inner)
		}
		to, rest := 0, int(at)
		for axis := len(inner) - 1; axis >= 0; axis-- {
			k := rest % inner[axis]
			rest /= inner[axis]
			if k >= shape[axis] {
				return fmt.Errorf("index %d lies outside output_shape %v", at, shape)
			}
			to += k * st[axis]
		}
		y[to] = src[i]
	}
	c.rounded(0, x.Type, shape, y)
	return nil
}

// unpooledDims is the shape whose pooling by the node's window gives x.
func unpooledDims(n *ir.Node, x []ir.Dim) ([]ir.Dim, error) {
	w, err := slideOf(n, len(x)-2, nil)
	if err != nil {
		return nil, err
	}
	out := append([]ir.Dim(nil), x...)
	for i := range w.kernel {
		d := &out[2+i]
		if !d.IsKnown() {
			*d = ir.Unknown
			continue
		}
		size := (d.N-1)*w.stride[i] - w.begin[i] - w.end[i] + w.kernel[i]
		if size < 0 {
			return nil, fmt.Errorf("padding by %d and %d leaves nothing (spatial axis %d)", w.begin[i], w.end[i], i)
		}
		*d = ir.Known(size)
	}
	return out, nil
}

func inferMaxUnpool(c *Shape) error {
	x := c.In[0]
	c.Set(0, ir.UnrankedType(x.DType))
	if want, ok := c.Data(2); ok {
		out := make([]ir.Dim, len(want))
		for i, d := range want {
			out[i] = ir.Unknown
			if d.IsKnown() {
				out[i] = d
			}
		}
		c.Set(0, ir.TensorType(x.DType, out...))
		return nil
	}
	if ok, err := c.inferRank(0, 3); !ok {
		return err
	}
	if c.Has(2) {
		c.Set(0, ir.TensorType(x.DType, unknownDims(len(x.Shape))...))
		return nil
	}
	out, err := unpooledDims(c.Node, x.Shape)
	if err != nil {
		return err
	}
	c.Set(0, ir.TensorType(x.DType, out...))
	return nil
}
