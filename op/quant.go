package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// quantDef simulates quantisation to any number of bits, as Brevitas and QONNX
// export it: x is divided by a scale, shifted, rounded, clamped, and mapped back.
// https://github.com/fastmachinelearning/qonnx/blob/main/docs/qonnx-custom-ops/quant_op.md
var quantDef = quantRow("onnx.brevitas")

// quantQonnxDef is the same operator under the domain that QONNX gives it.
var quantQonnxDef = quantRow("qonnx.custom_op.general")

func quantRow(domain string) Def {
	return Def{
		Name: "Quant", Domain: domain, Versions: []int{1}, In: Arity{4, 4}, Out: Arity{1, 1},
		Infer: inferSame, Eval: evalQuant,
	}
}

func evalQuant(c *Eval) error {
	x, scale, zero := c.Need(0), c.Need(1), c.Need(2)
	for i := range 4 {
		if !c.Need(i).Type.IsFloat() {
			return fmt.Errorf("operand %d: %v where numbers are expected", i, c.Need(i))
		}
	}
	round, err := rounding(c.Node)
	if err != nil {
		return err
	}
	lo, hi := quantRange(c.Node, c.Float(3))
	shape, err := broadcast(x.Shape, scale.Shape, zero.Shape)
	if err != nil {
		return err
	}
	out := c.New(tensor.Float32, shape...)
	y, xs, ss, zs := tensor.Data[float32](out), tensor.Float32s(x), tensor.Float32s(scale), tensor.Float32s(zero)
	rows(shape, [][]int{x.Shape, scale.Shape, zero.Shape}, func(at, n int, index, step []int) {
		for k := range n {
			s, z := ss[index[1]+k*step[1]], zs[index[2]+k*step[2]]
			q := float64(xs[index[0]+k*step[0]]/s + z)
			q = round(min(max(q, lo), hi))
			y[at+k] = (float32(q) - z) * s
		}
	})
	converted, err := tensor.Convert(out, x.Type, tensor.Options{})
	c.Set(0, converted)
	return err
}

// quantRange is the smallest and largest integer of the given number of bits.
func quantRange(n *ir.Node, bits float64) (lo, hi float64) {
	narrow := float64(n.Int("narrow", 0))
	if n.Int("signed", 1) != 0 {
		return -math.Exp2(bits-1) + narrow, math.Exp2(bits-1) - 1
	}
	return 0, math.Exp2(bits) - 1 - narrow
}

// rounding is the function that "rounding_mode" names.
func rounding(n *ir.Node) (func(float64) float64, error) {
	f, ok := map[string]func(float64) float64{
		"ROUND": math.RoundToEven, "HALF_EVEN": math.RoundToEven, "CEIL": math.Ceil, "FLOOR": math.Floor,
		"DOWN": math.Trunc, "ROUND_TO_ZERO": math.Trunc, "HALF_UP": math.Round,
		"UP":        func(x float64) float64 { return math.Copysign(math.Ceil(math.Abs(x)), x) },
		"HALF_DOWN": func(x float64) float64 { return math.Copysign(math.Ceil(math.Abs(x)-0.5), x) },
	}[n.Str("rounding_mode", "ROUND")]
	if !ok {
		return nil, fmt.Errorf("unknown rounding mode %q", n.Str("rounding_mode", ""))
	}
	return f, nil
}
