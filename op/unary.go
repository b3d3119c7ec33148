package op

import (
	"math"

	"pare/ir"
	"pare/tensor"
)

// sameType is the shape rule of operators whose first result is like their
// first operand.
func sameType(c *Shape) error {
	c.Set(0, c.In[0])
	return nil
}

// unaryFloat is the row of an element-wise function of floats. It is computed
// in float64 and rounded once to the operand's type.
func unaryFloat(name string, versions []int, f func(float64) float64) Def {
	return unaryWith(name, versions, func(*Eval) (func(float64) float64, error) { return f, nil })
}

// unaryWith is unaryFloat for a function that depends on attributes.
func unaryWith(name string, versions []int, make func(c *Eval) (func(float64) float64, error)) Def {
	return Def{
		Name: name, Versions: versions, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: sameType,
		Eval: func(c *Eval) error {
			f, err := make(c)
			if err != nil {
				return err
			}
			x := c.Need(0)
			if !x.Type.IsFloat() {
				return unsupported(x.Type)
			}
			out, err := mapFloat(c, x, f)
			c.Set(0, out)
			return err
		},
	}
}

// mapFloat applies f to every element, computing in float64.
func mapFloat(c *Eval, x *tensor.Tensor, f func(float64) float64) (*tensor.Tensor, error) {
	if x.Type == tensor.Float32 {
		out := c.New(x.Type, x.Shape...)
		y := tensor.Data[float32](out)
		for i, v := range tensor.Data[float32](x) {
			y[i] = float32(f(float64(v)))
		}
		return out, nil
	}
	y := make([]float64, x.Len())
	for i, v := range tensor.Float64s(x) {
		y[i] = f(v)
	}
	return tensor.FromFloat64s(x.Type, x.Shape, y)
}

// The element-wise functions without attributes.
// https://onnx.ai/onnx/operators/
var (
	acosDef       = unaryFloat("Acos", []int{7, 22}, math.Acos)
	acoshDef      = unaryFloat("Acosh", []int{9, 22}, math.Acosh)
	asinDef       = unaryFloat("Asin", []int{7, 22}, math.Asin)
	asinhDef      = unaryFloat("Asinh", []int{9, 22}, math.Asinh)
	atanDef       = unaryFloat("Atan", []int{7, 22}, math.Atan)
	atanhDef      = unaryFloat("Atanh", []int{9, 22}, math.Atanh)
	ceilDef       = unaryFloat("Ceil", []int{1, 6, 13}, math.Ceil)
	cosDef        = unaryFloat("Cos", []int{7, 22}, math.Cos)
	coshDef       = unaryFloat("Cosh", []int{9, 22}, math.Cosh)
	expDef        = unaryFloat("Exp", []int{1, 6, 13}, math.Exp)
	floorDef      = unaryFloat("Floor", []int{1, 6, 13}, math.Floor)
	logDef        = unaryFloat("Log", []int{1, 6, 13}, math.Log)
	reciprocalDef = unaryFloat("Reciprocal", []int{1, 6, 13}, func(x float64) float64 { return 1 / x })
	roundDef      = unaryFloat("Round", []int{11, 22}, math.RoundToEven)
	sigmoidDef    = unaryFloat("Sigmoid", []int{1, 6, 13}, sigmoid)
	sinDef        = unaryFloat("Sin", []int{7, 22}, math.Sin)
	sinhDef       = unaryFloat("Sinh", []int{9, 22}, math.Sinh)
	softplusDef   = unaryFloat("Softplus", []int{1, 22}, softplus)
	softsignDef   = unaryFloat("Softsign", []int{1, 22}, func(x float64) float64 { return x / (1 + math.Abs(x)) })
	sqrtDef       = unaryFloat("Sqrt", []int{1, 6, 13}, math.Sqrt)
	tanDef        = unaryFloat("Tan", []int{7, 22}, math.Tan)
	tanhDef       = unaryFloat("Tanh", []int{1, 6, 13}, math.Tanh)
	hardSwishDef  = unaryFloat("HardSwish", []int{14, 22}, func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) })
	mishDef       = unaryFloat("Mish", []int{18, 22}, func(x float64) float64 { return x * math.Tanh(softplus(x)) })
)

func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// softplus is ln(1+e^x) without overflow.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// erfDef allows every numeric type.
var erfDef = numericUnary("Erf", []int{9, 13}, math.Erf)

// numericUnary is the row of an element-wise function that integers allow, too;
// their results are truncated.
func numericUnary(name string, versions []int, f func(float64) float64) Def {
	return Def{
		Name: name, Versions: versions, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: sameType,
		Eval: func(c *Eval) error {
			x := c.Need(0)
			if !x.Type.IsFloat() && !x.Type.IsInt() {
				return unsupported(x.Type)
			}
			out, err := mapFloat(c, x, f)
			c.Set(0, out)
			return err
		},
	}
}

// number lists the element types with Go arithmetic.
type number interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// integer lists the integer types with Go arithmetic.
type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// exact applies a function that is exact in every type: absolute value,
// negation, sign, max(x, 0).
func exact(name string, versions []int, k exactKind) Def {
	return Def{
		Name: name, Versions: versions, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: exactInfer(k),
		Eval: func(c *Eval) error {
			x := c.Need(0)
			out := c.New(x.Type, x.Shape...)
			c.Set(0, out)
			switch x.Type {
			case tensor.Float32:
				return exactInto(k, tensor.Data[float32](out), tensor.Data[float32](x))
			case tensor.Float64:
				return exactInto(k, tensor.Data[float64](out), tensor.Data[float64](x))
			case tensor.Int8:
				return exactInto(k, tensor.Data[int8](out), tensor.Data[int8](x))
			case tensor.Int16:
				return exactInto(k, tensor.Data[int16](out), tensor.Data[int16](x))
			case tensor.Int32:
				return exactInto(k, tensor.Data[int32](out), tensor.Data[int32](x))
			case tensor.Int64:
				return exactInto(k, tensor.Data[int64](out), tensor.Data[int64](x))
			case tensor.Uint8:
				return exactInto(k, tensor.Data[uint8](out), tensor.Data[uint8](x))
			case tensor.Uint16:
				return exactInto(k, tensor.Data[uint16](out), tensor.Data[uint16](x))
			case tensor.Uint32:
				return exactInto(k, tensor.Data[uint32](out), tensor.Data[uint32](x))
			case tensor.Uint64:
				return exactInto(k, tensor.Data[uint64](out), tensor.Data[uint64](x))
			case tensor.Float16, tensor.BFloat16:
				wide := make([]float32, x.Len())
				if err := exactInto(k, wide, tensor.Float32s(x)); err != nil {
					return err
				}
				narrow, err := tensor.FromFloat32s(x.Type, x.Shape, wide)
				c.Set(0, narrow)
				return err
			}
			return unsupported(x.Type)
		},
	}
}

type exactKind int

const (
	exactAbs exactKind = iota
	exactNeg
	exactSign
	exactRelu
)

var (
	absDef  = exact("Abs", []int{1, 6, 13}, exactAbs)
	negDef  = exact("Neg", []int{1, 6, 13}, exactNeg)
	signDef = exact("Sign", []int{9, 13}, exactSign)
	reluDef = exact("Relu", []int{1, 6, 13, 14}, exactRelu)
)

func exactInto[T number](k exactKind, y, x []T) error {
	switch k {
	case exactAbs:
		for i, v := range x {
			if v <= 0 { // -0 included: 0 - -0 = 0
				v = 0 - v
			}
			y[i] = v
		}
	case exactNeg:
		for i, v := range x {
			y[i] = -v
		}
	case exactSign:
		for i, v := range x {
			switch {
			case v > 0:
				y[i] = 1
			case v < 0:
				y[i] = 0
				y[i]--
			default: // zero, and NaN as it is
				y[i] = v
			}
		}
	case exactRelu:
		for i, v := range x {
			if v < 0 {
				v = 0
			}
			y[i] = v
		}
	}
	return nil
}

// exactInfer also follows the elements of shapes.
func exactInfer(k exactKind) func(c *Shape) error {
	return func(c *Shape) error {
		c.Set(0, c.In[0])
		if in, ok := c.Data(0); ok && c.In[0].DType.IsInt() {
			out := make([]ir.Dim, len(in))
			for i, d := range in {
				out[i] = UnknownElem()
				if isNumber(d) {
					v := []int{0}
					exactIntoInt(k, v, []int{d.N})
					out[i] = ir.Dim{N: v[0]}
				}
			}
			c.SetData(0, out)
		}
		return nil
	}
}

func exactIntoInt(k exactKind, y, x []int) {
	a, b := make([]int64, len(x)), make([]int64, len(x))
	for i, v := range x {
		a[i] = int64(v)
	}
	if exactInto(k, b, a) == nil {
		for i, v := range b {
			y[i] = int(v)
		}
	}
}
