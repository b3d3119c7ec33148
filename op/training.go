package op

import (
	"fmt"
	"math"

	"pare/tensor"
)

// TrainingDomain is the domain of operators that stand for quantisers while a
// network is trained. Files for deployment never hold them.
const TrainingDomain = "pare.training"

// fakeQuantizeDef is FakeQuantize(x, scale, zero?), what QuantizeLinear and
// DequantizeLinear make of x: (clip(round(x/scale) + round(zero), lo, hi) -
// round(zero)) * scale, halves to even, quotient and product rounded to the type of
// x. Operands are Float32 or Float64. Scales are positive: one for all elements, one
// per index of axis, or one per block of block_size along it, as DequantizeLinear has
// them; zero, 0 where left out, has the shape of the scale and is a number so that
// it can be learned. lo and hi (0 and 255) bound the codes. NaN stays NaN.
//
// Gradients pass where lo <= x/scale + zero <= hi; that of the scale is LSQ's
// [esser20, arXiv:1902.08153], times the attribute scale_gradient.
var fakeQuantizeDef = Def{
	Name: "FakeQuantize", Domain: TrainingDomain, Versions: []int{1}, In: Arity{2, 3}, Out: Arity{1, 1},
	Infer: sameType,
	Eval: func(c *Eval) error {
		x, scale := c.reals(0), c.positive(1)
		zero := c.optReals(2, len(scale))
		lo, hi := float64(c.Node.Int("lo", 0)), float64(c.Node.Int("hi", 255))
		if !(lo < hi) {
			return fmt.Errorf("the codes from %g to %g are none", lo, hi)
		}
		kind, round := c.single(0)
		y := c.zeros(c.Need(0).Shape...)
		c.eachScale(0, 1, func(i, k int) {
			z := 0.0
			if zero != nil {
				z = math.RoundToEven(zero[k])
			}
			q := math.RoundToEven(round(x[i]/scale[k])) + z
			y[i] = round((min(max(q, lo), hi)-z)*scale[k] + 0)
		})
		c.rounded(0, kind, c.Need(0).Shape, y)
		return nil
	},
}

// single is the type of operand i, Float32 or Float64, and the rounding to it.
func (c *Eval) single(i int) (tensor.DType, func(float64) float64) {
	switch t := c.Need(i).Type; t {
	case tensor.Float32:
		return t, func(x float64) float64 { return float64(float32(x)) }
	case tensor.Float64:
		return t, func(x float64) float64 { return x }
	default:
		refuse("operand %d is %v; Float32 or Float64 is needed", i, c.Need(i))
		return t, nil
	}
}

// positive is operand i, all of whose elements must be positive numbers.
func (c *Eval) positive(i int) []float64 {
	s := c.reals(i)
	for k, v := range s {
		if !(v > 0) || math.IsInf(v, 0) {
			refuse("element %d of operand %d is %g; scales are positive", k, i, v)
		}
	}
	return s
}

// eachScale calls f for every element of operand x with the index of its scale in
// operand s.
func (c *Eval) eachScale(x, s int, f func(i, k int)) {
	g, err := granularityOf(c.Node, c.Need(x).Shape, c.Need(s).Shape)
	check(err)
	g.runs(func(at, n, p, step int) {
		for i := range n {
			f(at+i, p+i*step)
		}
	})
}
