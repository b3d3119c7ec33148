package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// randomNormalDef draws from a normal distribution.
// https://onnx.ai/onnx/operators/onnx__RandomNormal.html
var randomNormalDef = Def{
	Name: "RandomNormal", Versions: []int{1, 22}, In: Arity{0, 0}, Out: Arity{1, 1}, Random: true,
	Infer: inferDraw, Eval: func(c *Eval) error { return drawAs(c, normalOf(c.Node)) },
}

// randomNormalLikeDef is RandomNormal in the shape of its operand.
// https://onnx.ai/onnx/operators/onnx__RandomNormalLike.html
var randomNormalLikeDef = Def{
	Name: "RandomNormalLike", Versions: []int{1, 22}, In: Arity{1, 1}, Out: Arity{1, 1}, Random: true,
	Infer: inferLike, Eval: func(c *Eval) error { return drawLike(c, normalOf(c.Node)) },
}

// randomUniformDef draws from a uniform distribution.
// https://onnx.ai/onnx/operators/onnx__RandomUniform.html
var randomUniformDef = Def{
	Name: "RandomUniform", Versions: []int{1, 22}, In: Arity{0, 0}, Out: Arity{1, 1}, Random: true,
	Infer: inferDraw, Eval: func(c *Eval) error { return drawAs(c, uniformOf(c.Node)) },
}

// randomUniformLikeDef is RandomUniform in the shape of its operand.
// https://onnx.ai/onnx/operators/onnx__RandomUniformLike.html
var randomUniformLikeDef = Def{
	Name: "RandomUniformLike", Versions: []int{1, 22}, In: Arity{1, 1}, Out: Arity{1, 1}, Random: true,
	Infer: inferLike, Eval: func(c *Eval) error { return drawLike(c, uniformOf(c.Node)) },
}

func normalOf(n *ir.Node) func() float64 {
	g, mean, scale := random(n), float64(n.Float("mean", 0)), float64(n.Float("scale", 1))
	return func() float64 { return mean + float64(scale*g.normal()) }
}

func uniformOf(n *ir.Node) func() float64 {
	g, low, high := random(n), float64(n.Float("low", 0)), float64(n.Float("high", 1))
	return func() float64 { return low + float64((high-low)*g.uniform()) }
}

func drawAs(c *Eval, next func() float64) error {
	t, err := dtypeAttr(c.Node, "dtype", tensor.Float32)
	if err != nil {
		return err
	}
	return draw(c, t, c.Node.Ints("shape"), next)
}

func drawLike(c *Eval, next func() float64) error {
	x := c.Need(0)
	t, err := dtypeAttr(c.Node, "dtype", x.Type)
	if err != nil {
		return err
	}
	return draw(c, t, x.Shape, next)
}

func draw(c *Eval, t tensor.DType, shape []int, next func() float64) error {
	if !isNumeric(t) {
		return unsupported(t)
	}
	values := tensor.Data[float64](c.New(tensor.Float64, shape...))
	for i := range values {
		values[i] = next()
	}
	out, err := tensor.FromFloat64s(t, shape, values)
	c.Set(0, out)
	return err
}

func inferDraw(c *Shape) error {
	t, err := dtypeAttr(c.Node, "dtype", tensor.Float32)
	if err != nil {
		return err
	}
	shape := c.Node.Ints("shape")
	if _, err := tensor.CheckedLen(shape); err != nil {
		return err
	}
	c.Set(0, ir.TensorType(t, ir.Dims(shape)...))
	return nil
}

func inferLike(c *Shape) error {
	out := c.In[0]
	t, err := dtypeAttr(c.Node, "dtype", out.DType)
	out.DType = t
	c.Set(0, out)
	return err
}

// bernoulliDef draws 1 with the probability that its operand holds, else 0.
// https://onnx.ai/onnx/operators/onnx__Bernoulli.html
var bernoulliDef = Def{
	Name: "Bernoulli", Versions: []int{15, 22}, In: Arity{1, 1}, Out: Arity{1, 1}, Random: true,
	Infer: inferLike,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		if !isNumeric(x.Type) {
			return unsupported(x.Type)
		}
		p, g, k := tensor.Float64s(x), random(c.Node), 0
		return drawLike(c, func() float64 {
			one := g.uniform() < p[k]
			k++
			if one {
				return 1
			}
			return 0
		})
	},
}

// multinomialDef draws classes by their unnormalised log-probabilities.
// https://onnx.ai/onnx/operators/onnx__Multinomial.html
var multinomialDef = Def{
	Name: "Multinomial", Versions: []int{7, 22}, In: Arity{1, 1}, Out: Arity{1, 1}, Random: true,
	Infer: func(c *Shape) error {
		t, err := dtypeAttr(c.Node, "dtype", tensor.Int32)
		batch := ir.Unknown
		if c.In[0].Rank() == 2 {
			batch = c.In[0].Shape[0]
		}
		c.Set(0, ir.TensorType(t, batch, ir.Known(max(c.Node.Int("sample_size", 1), 0))))
		return err
	},
	Eval: func(c *Eval) error {
		x, samples := c.Need(0), c.Node.Int("sample_size", 1)
		t, err := dtypeAttr(c.Node, "dtype", tensor.Int32)
		if err != nil {
			return err
		}
		if x.Rank() != 2 || x.Shape[1] == 0 || !x.Type.IsFloat() || samples < 0 {
			return fmt.Errorf("%d samples of log-probabilities %v", samples, x)
		}
		g, classes := random(c.Node), x.Shape[1]
		out := c.New(tensor.Int64, x.Shape[0], samples)
		all := tensor.Float64s(x)
		for b := range x.Shape[0] {
			sums := cumulative(all[b*classes : (b+1)*classes])
			for s := range samples {
				u := g.uniform() * sums[classes-1]
				k := 0
				for k < classes-1 && sums[k] <= u {
					k++
				}
				tensor.Data[int64](out)[b*samples+s] = int64(k)
			}
		}
		converted, err := tensor.Convert(out, t, tensor.Options{})
		c.Set(0, converted)
		return err
	},
}

// cumulative sums the exponentials of logs, relative to the largest.
func cumulative(logs []float64) []float64 {
	top := math.Inf(-1)
	for _, x := range logs {
		top = max(top, x)
	}
	out, sum := make([]float64, len(logs)), 0.0
	for i, x := range logs {
		sum += math.Exp(x - top)
		out[i] = sum
	}
	return out
}
