package op

import (
	"fmt"
	"math"

	"pare/ir"
)

// The element-wise functions with attributes. https://onnx.ai/onnx/operators/
var (
	celuDef = unaryWith("Celu", []int{12, 28}, func(c *Eval) (func(float64) float64, error) {
		alpha := float64(c.Node.Float("alpha", 1))
		return func(x float64) float64 { return max(0, x) + min(0, alpha*math.Expm1(x/alpha)) }, nil
	})
	eluDef = unaryWith("Elu", []int{1, 6, 22}, func(c *Eval) (func(float64) float64, error) {
		alpha := float64(c.Node.Float("alpha", 1))
		return func(x float64) float64 {
			if x < 0 {
				return alpha * math.Expm1(x)
			}
			return x
		}, nil
	})
	leakyReluDef = unaryWith("LeakyRelu", []int{1, 6, 16}, func(c *Eval) (func(float64) float64, error) {
		alpha := float64(c.Node.Float("alpha", 0.01))
		return func(x float64) float64 {
			if x < 0 {
				return alpha * x
			}
			return x
		}, nil
	})
	thresholdedReluDef = unaryWith("ThresholdedRelu", []int{10, 22}, func(c *Eval) (func(float64) float64, error) {
		alpha := float64(c.Node.Float("alpha", 1))
		return func(x float64) float64 {
			if x > alpha {
				return x
			}
			return 0
		}, nil
	})
	hardSigmoidDef = unaryWith("HardSigmoid", []int{1, 6, 22}, func(c *Eval) (func(float64) float64, error) {
		alpha, beta := float64(c.Node.Float("alpha", 0.2)), float64(c.Node.Float("beta", 0.5))
		return func(x float64) float64 { return max(0, min(1, alpha*x+beta)) }, nil
	})
	geluDef = unaryWith("Gelu", []int{20}, func(c *Eval) (func(float64) float64, error) {
		switch a := c.Node.Str("approximate", "none"); a {
		case "none":
			return func(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }, nil
		case "tanh":
			return func(x float64) float64 {
				return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
			}, nil
		default:
			return nil, fmt.Errorf("unknown approximation %q; the operator has none and tanh", a)
		}
	})
	swishDef = unaryWith("Swish", []int{24}, func(c *Eval) (func(float64) float64, error) {
		alpha := float64(c.Node.Float("alpha", 1))
		return func(x float64) float64 { return x * sigmoid(alpha*x) }, nil
	})
)

// shrinkDef moves values towards zero by bias and zeroes those within lambd.
// Integers are allowed. https://onnx.ai/onnx/operators/onnx__Shrink.html
var shrinkDef = Def{
	Name: "Shrink", Versions: []int{9}, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if !x.Type.IsFloat() && !x.Type.IsInt() {
			return unsupported(x.Type)
		}
		bias, lambd := float64(c.Node.Float("bias", 0)), float64(c.Node.Float("lambd", 0.5))
		out, err := mapFloat(c, x, func(x float64) float64 {
			switch {
			case x < -lambd:
				return x + bias
			case x > lambd:
				return x - bias
			}
			return 0
		})
		c.Set(0, out)
		return err
	},
}

// seluDef is the scaled exponential unit; version 1 has shorter constants.
// https://onnx.ai/onnx/operators/onnx__Selu.html
var seluDef = Def{
	Name: "Selu", Versions: []int{1, 6, 22}, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		alpha, gamma := float32(1.67326319217681884765625), float32(1.05070102214813232421875)
		if c.Version < 6 {
			alpha, gamma = 1.6732, 1.0507
		}
		a, g := float64(c.Node.Float("alpha", alpha)), float64(c.Node.Float("gamma", gamma))
		x := c.Need(0)
		if !x.Type.IsFloat() {
			return unsupported(x.Type)
		}
		out, err := mapFloat(c, x, func(x float64) float64 {
			if x <= 0 {
				return g * a * math.Expm1(x)
			}
			return g * x
		})
		c.Set(0, out)
		return err
	},
	Raise: map[int]func(*Raising) error{6: func(r *Raising) error {
		attrs := ir.WithoutAttr(r.Node.Attrs, "consumed_inputs")
		attrs = ir.WithAttr(attrs, "alpha", r.Node.Float("alpha", 1.6732))
		r.Patch.SetAttrs(r.Node, ir.WithAttr(attrs, "gamma", r.Node.Float("gamma", 1.0507)))
		return nil
	}},
}
