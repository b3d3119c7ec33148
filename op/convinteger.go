package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// convIntegerDef is convolution of integers with zero points.
// https://onnx.ai/onnx/operators/onnx__ConvInteger.html
var convIntegerDef = Def{
	Name: "ConvInteger", Versions: []int{10}, In: Arity{2, 4}, Out: Arity{1, 1},
	MACs: convMACs(1), Infer: func(c *Shape) error { return inferConv(c, 0, 1, tensor.Int32) },
	Eval: func(c *Eval) error {
		y, s, err := intConv(c, 0, 2, 1, 3)
		if err != nil {
			return err
		}
		c.Set(0, tensor.Of(s.outShape(), y))
		return nil
	},
}

// qlinearConvDef is convolution of quantised tensors, quantised again.
// https://onnx.ai/onnx/operators/onnx__QLinearConv.html
var qlinearConvDef = Def{
	Name: "QLinearConv", Versions: []int{10}, In: Arity{8, 9}, Out: Arity{1, 1},
	MACs: convMACs(3), Infer: func(c *Shape) error { return inferConv(c, 0, 3, c.In[7].DType) },
	Eval: evalQLinearConv,
}

func evalQLinearConv(c *Eval) error {
	y, s, err := intConv(c, 0, 2, 3, 5)
	if err != nil {
		return err
	}
	plane := tensor.Len(s.out)
	if c.Has(8) {
		c.needLen(8, s.filters)
		if c.Need(8).Type != tensor.Int32 {
			return fmt.Errorf("the bias is %v; i32 elements are needed", c.Tensor(8))
		}
		b := tensor.Data[int32](c.Tensor(8))
		for i := range y {
			y[i] += b[i/plane%s.filters]
		}
	}
	xs, ys := c.scale(1), c.scale(6)
	ws := c.scales(4, s.filters)
	out := c.requantizer(7, len(y))
	for i, sum := range y {
		out.put(i, float64(sum)*ratio(xs, ws[i/plane%s.filters], ys))
	}
	c.Set(0, out.tensor(s.outShape()))
	return nil
}

// ratio is a·b/y, each operation rounded to float32 as the scales are.
func ratio(a, b, y float64) float64 { return float64(float32(a) * float32(b) / float32(y)) }

// intConv is the convolution of operand x less its zero point and operand w
// less its zero points, one for all or one for each filter.
func intConv(c *Eval, x, xZero, w, wZero int) ([]int32, *convShape, error) {
	s, err := newConvShape(c.Node, c.Need(x).Shape, c.Need(w).Shape)
	if err != nil {
		return nil, nil, err
	}
	xv := c.centred(x, xZero, 1)
	wv := c.centred(w, wZero, s.filters)
	y := tensor.Data[int32](c.New(tensor.Int32, s.outShape()...))
	return y, s, convolve(c.Ctx, s, y, xv, wv)
}

// centred returns 8-bit operand i less its zero point, operand zero. There is
// one zero point, or one for each of rows equal parts of the operand. A
// missing one is 0.
func (c *Eval) centred(i, zero, rows int) []int32 {
	t := c.Need(i)
	src := c.ints8(i)
	out := make([]int32, len(src))
	var zeros []int16
	if c.Has(zero) {
		z := c.Tensor(zero)
		if z.Type != t.Type || z.Len() != 1 && z.Len() != rows {
			refuse("operand %d is %v; one zero point, or %d, of type %v are needed", zero, z, rows, t.Type)
		}
		zeros = c.ints8(zero)
	}
	for k, v := range src {
		out[k] = int32(v)
		switch len(zeros) {
		case 0:
		case 1:
			out[k] -= int32(zeros[0])
		default:
			out[k] -= int32(zeros[k*rows/len(src)])
		}
	}
	return out
}

// ints8 returns an operand of an integer type of at most 8 bits.
func (c *Eval) ints8(i int) []int16 {
	t := c.Need(i)
	if !t.Type.IsInt() || t.Type.Bits() > 8 {
		refuse("operand %d is %v; integers of 8 bits are needed", i, t)
	}
	return tensor.Ints8(t)
}

// scale returns a scale operand of one element.
func (c *Eval) scale(i int) float64 {
	c.needLen(i, 1)
	return c.reals(i)[0]
}

// scales returns a scale operand of one element or n as n numbers.
func (c *Eval) scales(i, n int) []float64 {
	v := c.reals(i)
	switch len(v) {
	case n:
		return v
	case 1:
		out := make([]float64, n)
		fill(out, v[0])
		return out
	}
	refuse("operand %d is %v; 1 or %d scales are needed", i, c.Tensor(i), n)
	return nil
}

// requantizer turns real numbers, in units of the result's scale, into
// quantised elements: rounded to nearest even, moved by the zero point,
// saturated.
type requantizer struct {
	kind   tensor.DType
	zero   float64
	lo, hi float64
	codes  []byte
}

// requantizer makes one for n elements from the zero point operand, whose type
// is that of the result.
func (c *Eval) requantizer(zero, n int) *requantizer {
	c.needLen(zero, 1)
	return newRequantizer(c.Tensor(zero).Type, float64(c.ints8(zero)[0]), n)
}

func newRequantizer(t tensor.DType, zero float64, n int) *requantizer {
	lo, hi := intRange(t)
	return &requantizer{kind: t, zero: zero, lo: lo, hi: hi, codes: make([]byte, n)}
}

// put sets element i; NaN gives the zero point.
func (r *requantizer) put(i int, v float64) {
	if v != v {
		v = 0
	}
	r.codes[i] = byte(int(min(max(math.RoundToEven(v)+r.zero, r.lo), r.hi)))
}

func (r *requantizer) tensor(shape []int) *tensor.Tensor {
	return tensor.FromCodes(r.kind, shape, r.codes)
}

// inferElems sets result 0 to the shape of operand i with elements of type t.
func inferElems(c *Shape, i int, t tensor.DType) error {
	out := c.In[i]
	if out.Kind == ir.KindUnknown {
		out.Kind = ir.KindTensor
	}
	out.DType = t
	c.Set(0, out)
	return nil
}
