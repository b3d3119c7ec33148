package op

import (
	"math"

	"pare/ir"
	"pare/tensor"
)

// boolLike is the shape rule of predicates of one operand.
func boolLike(c *Shape) error {
	t := c.In[0]
	if t.Kind == ir.KindTensor {
		t.DType = tensor.Bool
		c.Set(0, t)
	} else {
		c.Set(0, ir.UnrankedType(tensor.Bool))
	}
	return nil
}

// floatPredicate is the row of a test on floats.
func floatPredicate(name string, versions []int, make func(c *Eval) func(float64) bool) Def {
	return Def{
		Name: name, Versions: versions, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: boolLike,
		Eval: func(c *Eval) error {
			x := c.Need(0)
			if !x.Type.IsFloat() {
				return unsupported(x.Type)
			}
			f := make(c)
			out := c.New(tensor.Bool, x.Shape...)
			y := tensor.Data[bool](out)
			for i, v := range tensor.Float64s(x) {
				y[i] = f(v)
			}
			c.Set(0, out)
			return nil
		},
	}
}

var (
	isNaNDef = floatPredicate("IsNaN", []int{9, 13, 20}, func(*Eval) func(float64) bool { return math.IsNaN })
	isInfDef = floatPredicate("IsInf", []int{10, 20}, func(c *Eval) func(float64) bool {
		pos, neg := c.Node.Int("detect_positive", 1) != 0, c.Node.Int("detect_negative", 1) != 0
		return func(x float64) bool { return pos && math.IsInf(x, 1) || neg && math.IsInf(x, -1) }
	})
)

// notDef negates booleans. https://onnx.ai/onnx/operators/onnx__Not.html
var notDef = Def{
	Name: "Not", Versions: []int{1}, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if x.Type != tensor.Bool {
			return unsupported(x.Type)
		}
		out := c.New(tensor.Bool, x.Shape...)
		y := tensor.Data[bool](out)
		for i, v := range tensor.Data[bool](x) {
			y[i] = !v
		}
		c.Set(0, out)
		return nil
	},
}

// bitwiseNotDef complements integers. Two's complement makes it the same byte
// by byte for every width.
var bitwiseNotDef = Def{
	Name: "BitwiseNot", Versions: []int{18}, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if !x.Type.IsInt() {
			return unsupported(x.Type)
		}
		out := c.New(x.Type, x.Shape...)
		y := out.Bytes()
		for i, b := range x.Bytes() {
			y[i] = ^b
		}
		c.Set(0, out)
		return nil
	},
}
