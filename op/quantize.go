package op

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

var quantizeVersions = []int{10, 13, 19, 21, 23, 24, 25, 28}

// quantizeLinearDef is saturate(round(x / scale) + zero): the division in the
// type of the scale (or the attribute precision), ties to even.
// https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
var quantizeLinearDef = Def{
	Name: "QuantizeLinear", Versions: quantizeVersions, In: Arity{2, 3}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		zero := tensor.Undefined
		if c.Has(2) {
			zero = c.In[2].DType
			if zero == tensor.Undefined {
				return nil
			}
		}
		t := c.In[0]
		if t.Kind != ir.KindTensor {
			t = ir.UnrankedType(0)
		}
		var err error
		t.DType, err = quantizedType(c.Node, zero)
		c.Set(0, t)
		return err
	},
	Eval: func(c *Eval) error {
		x, scale, zero := c.Need(0), c.Need(1), c.Tensor(2)
		zt := tensor.Undefined
		if zero != nil {
			zt = zero.Type
			if zero.Len() != scale.Len() {
				return fmt.Errorf("zero point %v and scale %v differ in shape", zero, scale)
			}
		}
		to, err := quantizedType(c.Node, zt)
		if err != nil {
			return err
		}
		q, err := divided(c, x, scale)
		if err != nil {
			return err
		}
		g, err := granularityOf(c.Node, x.Shape, scale.Shape)
		if err != nil {
			return err
		}
		out, err := requantized(c, q, g, zero, to, x.Shape)
		c.Set(0, out)
		return err
	},
}

// quantizedType is the element type that QuantizeLinear produces.
func quantizedType(n *ir.Node, zero tensor.DType) (tensor.DType, error) {
	attr := tensor.DType(n.Int("output_dtype", 0))
	switch {
	case attr == tensor.Undefined && zero == tensor.Undefined:
		return tensor.Uint8, nil
	case attr == tensor.Undefined:
		return zero, nil
	case zero != tensor.Undefined && zero != attr:
		return 0, fmt.Errorf("output_dtype is %v but the zero point is %v", attr, zero)
	}
	return attr, nil
}

// divided is x / scale, each quotient rounded to the type of the division.
func divided(c *Eval, x, scale *tensor.Tensor) ([]float32, error) {
	if !x.Type.IsFloat() && x.Type != tensor.Int32 || !scale.Type.IsFloat() {
		return nil, fmt.Errorf("operands %v and %v cannot be divided", x, scale)
	}
	g, err := granularityOf(c.Node, x.Shape, scale.Shape)
	if err != nil {
		return nil, err
	}
	in := tensor.DType(c.Node.Int("precision", 0))
	if in == tensor.Undefined {
		in = scale.Type
	}
	if in == tensor.Float8E8M0 { // a power of two says nothing of precision
		in = x.Type
	}
	xs, ss := tensor.Float32s(x), tensor.Float32s(scale)
	if c.Node.Int("precision", 0) != 0 {
		if xs, err = rounded(xs, in); err != nil {
			return nil, err
		}
		if ss, err = rounded(ss, in); err != nil {
			return nil, err
		}
	}
	q := make([]float32, len(xs))
	g.runs(func(at, n, p, step int) {
		for i := range n {
			q[at+i] = xs[at+i] / ss[p+i*step]
		}
	})
	return rounded(q, in)
}

// rounded rounds values to a 16-bit float type; others are left as they are.
func rounded(values []float32, t tensor.DType) ([]float32, error) {
	if t != tensor.Float16 && t != tensor.BFloat16 {
		return values, nil
	}
	narrow, err := tensor.FromFloat32s(t, []int{len(values)}, values)
	if err != nil {
		return nil, err
	}
	return tensor.Float32s(narrow), nil
}

// intRange is the range of an integer type of at most 32 bits.
func intRange(t tensor.DType) (lo, hi float64) {
	bits := float64(t.Bits())
	if t.IsUnsigned() {
		return 0, math.Exp2(bits) - 1
	}
	return -math.Exp2(bits - 1), math.Exp2(bits-1) - 1
}

// requantized rounds quotients, adds the zero point and saturates.
func requantized(c *Eval, q []float32, g granularity, zero *tensor.Tensor, to tensor.DType, shape []int) (*tensor.Tensor, error) {
	var zs []float64
	if zero != nil {
		zs = tensor.Float64s(zero)
	}
	c.fits(to, shape)
	if to.IsInt() {
		lo, hi := intRange(to)
		y := make([]float64, len(q))
		g.runs(func(at, n, p, step int) {
			for i := range n {
				v := math.RoundToEven(float64(q[at+i]))
				if zs != nil {
					v += zs[p+i*step]
				}
				if v != v {
					v = lo
				}
				y[at+i] = min(max(v, lo), hi)
			}
		})
		return tensor.FromFloat64s(to, shape, y)
	}
	if !to.IsFloat() || to.Bits() > 8 {
		return nil, fmt.Errorf("%v is no type to quantise to", to)
	}
	if zs != nil {
		q = slices.Clone(q)
		g.runs(func(at, n, p, step int) {
			for i := range n {
				q[at+i] += float32(zs[p+i*step])
			}
		})
	}
	return tensor.Convert(tensor.Of(shape, q), to, tensor.Options{NoSaturate: c.Node.Int("saturate", 1) == 0})
}

// dequantizeLinearDef is (x - zero) · scale, the product in the type of the
// result. https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html
var dequantizeLinearDef = Def{
	Name: "DequantizeLinear", Versions: quantizeVersions, In: Arity{2, 3}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		t := c.In[0]
		if t.Kind != ir.KindTensor {
			t = ir.UnrankedType(0)
		}
		t.DType = dequantizedType(c.Node, c.In[1].DType)
		c.Set(0, t)
		return nil
	},
	Eval: func(c *Eval) error {
		x, scale, zero := c.Need(0), c.Need(1), c.Tensor(2)
		g, err := granularityOf(c.Node, x.Shape, scale.Shape)
		if err != nil {
			return err
		}
		if zero != nil && (zero.Len() != scale.Len() || zero.Type != x.Type) {
			return fmt.Errorf("zero point %v does not fit %v with scale %v", zero, x, scale)
		}
		if !x.Type.IsInt() && !x.Type.IsFloat() || !scale.Type.IsFloat() {
			return fmt.Errorf("operands %v and %v cannot be multiplied", x, scale)
		}
		to := dequantizedType(c.Node, scale.Type)
		c.fits(to, x.Shape)
		xs, ss := tensor.Float64s(x), tensor.Float32s(scale)
		var zs []float64
		if zero != nil {
			zs = tensor.Float64s(zero)
		}
		y := make([]float32, len(xs))
		g.runs(func(at, n, p, step int) {
			for i := range n {
				v := xs[at+i]
				if zs != nil {
					v -= zs[p+i*step]
				}
				y[at+i] = float32(v) * ss[p+i*step]
			}
		})
		out, err := tensor.FromFloat32s(to, x.Shape, y)
		c.Set(0, out)
		return err
	},
}

func dequantizedType(n *ir.Node, scale tensor.DType) tensor.DType {
	if t := tensor.DType(n.Int("output_dtype", 0)); t != tensor.Undefined {
		return t
	}
	if scale == tensor.Float8E8M0 {
		return tensor.Float32
	}
	return scale
}

// dynamicQuantizeLinearDef quantises to 8 bits by the range of the operand.
// https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
var dynamicQuantizeLinearDef = Def{
	Name: "DynamicQuantizeLinear", Versions: []int{11}, In: Arity{1, 1}, Out: Arity{3, 3},
	Infer: func(c *Shape) error {
		t := c.In[0]
		if t.Kind != ir.KindTensor {
			t = ir.UnrankedType(0)
		}
		t.DType = tensor.Uint8
		c.Set(0, t)
		c.Set(1, ir.TensorType(tensor.Float32))
		c.Set(2, ir.TensorType(tensor.Uint8))
		return nil
	},
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if x.Type != tensor.Float32 {
			return unsupported(x.Type)
		}
		data := tensor.Data[float32](x)
		lo, hi := float32(0), float32(0)
		for _, v := range data {
			lo, hi = min(lo, v), max(hi, v)
		}
		scale := (hi - lo) / 255
		if hi == lo {
			scale = float32(1) / 255
		}
		zero := math.RoundToEven(float64(min(255, max(0, 0-lo/scale))))
		out := c.New(tensor.Uint8, x.Shape...)
		y := tensor.Data[uint8](out)
		for i, v := range data {
			q := math.RoundToEven(float64(v/scale)) + zero
			y[i] = uint8(min(255, max(0, q)))
		}
		c.Set(0, out)
		c.Set(1, tensor.Scalar(scale))
		c.Set(2, tensor.Scalar(uint8(zero)))
		return nil
	},
}

// qLinearMatMulDef multiplies quantised matrices: the exact integer product,
// scaled, rounded to even and saturated.
// https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html
var qLinearMatMulDef = Def{
	Name: "QLinearMatMul", Versions: []int{10, 21}, In: Arity{8, 8}, Out: Arity{1, 1}, MACs: productMACs(0),
	Infer: func(c *Shape) error { return matMulInfer(c, 0, 3, c.In[7].DType) },
	Eval: func(c *Eval) error {
		a, err := centered(c.Need(0), c.Need(2), -2)
		if err != nil {
			return err
		}
		b, err := centered(c.Need(3), c.Need(5), -1)
		if err != nil {
			return err
		}
		sum, err := matMul(c, a, b)
		if err != nil {
			return err
		}
		out, err := rescaled(sum, [3]*tensor.Tensor{c.Need(1), c.Need(4), c.Need(6)}, c.Need(7))
		c.Set(0, out)
		return err
	},
}

// rescaled is round(sum · sa · sb / sy) + zero in the zero point's type. Scales
// of rank 1 lie along rows (the first and third) or columns (the second).
func rescaled(sum *tensor.Tensor, scales [3]*tensor.Tensor, zero *tensor.Tensor) (*tensor.Tensor, error) {
	if !zero.Type.IsInt() || zero.Type.Bits() > 8 {
		return nil, unsupported(zero.Type)
	}
	shapes := make([][]int, 4)
	values := make([][]float32, 4)
	for i, s := range []*tensor.Tensor{scales[0], scales[1], scales[2], zero} {
		axis := -2
		if i == 1 {
			axis = -1
		}
		shape := s.Shape
		if s.Len() == 1 {
			shape = nil
		} else if len(shape) == 1 && sum.Rank() >= 2 {
			shape = slices.Repeat([]int{1}, sum.Rank())
			shape[sum.Rank()+axis] = s.Len()
		}
		if full, err := broadcast(sum.Shape, shape); err != nil || !slices.Equal(full, sum.Shape) {
			return nil, fmt.Errorf("scale or zero point %v does not fit a product of shape %v", s, sum.Shape)
		}
		shapes[i], values[i] = shape, tensor.Float32s(s)
	}
	lo, hi := intRange(zero.Type)
	acc := tensor.Data[int32](sum)
	y := make([]float64, len(acc))
	rows(sum.Shape, shapes, func(at, n int, index, step []int) {
		for i := range n {
			v := func(k int) float32 { return values[k][index[k]+i*step[k]] }
			q := math.RoundToEven(float64(acc[at+i]) * float64(v(0)*v(1)/v(2)))
			y[at+i] = min(max(q+float64(v(3)), lo), hi)
		}
	})
	return tensor.FromFloat64s(zero.Type, sum.Shape, y)
}
