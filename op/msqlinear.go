package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// Quantised operators of ONNX Runtime. Each reads 8-bit operands followed by
// their scale and zero point, computes with the real numbers they stand for and
// quantises the result: rounded to nearest even, moved by the zero point,
// saturated.
var (
	qlinearAddDef     = quantisedBinary("QLinearAdd", func(a, b float64) float64 { return a + b })
	qlinearMulDef     = quantisedBinary("QLinearMul", func(a, b float64) float64 { return a * b })
	qlinearSigmoidDef = quantisedUnary("QLinearSigmoid", func(*ir.Node) func(float64) float64 { return sigmoid })
	qlinearLeakyDef   = quantisedUnary("QLinearLeakyRelu", func(n *ir.Node) func(float64) float64 {
		alpha := float64(n.Float("alpha", 0.01))
		return func(x float64) float64 { return max(x, 0) + alpha*min(x, 0) }
	})
)

// dequantised returns the numbers that operand i stands for, whose scale and
// zero point, both of one element, are the operands behind it.
func (c *Eval) dequantised(i int) []float64 {
	scale := c.scale(i + 1)
	out := make([]float64, c.Need(i).Len())
	for k, v := range c.centred(i, i+2, 1) {
		out[k] = float64(v) * scale
	}
	return out
}

// quantise stores result 0 with the scale and zero point operands given; where
// there is no zero point it is 0 in the type of operand 0.
func (c *Eval) quantise(y []float64, shape []int, scale, zero int) {
	s := c.scale(scale)
	r := newRequantizer(c.Need(0).Type, 0, len(y))
	if c.Has(zero) {
		r = c.requantizer(zero, len(y))
	}
	for i, v := range y {
		r.put(i, v/s)
	}
	c.Set(0, r.tensor(shape))
}

func quantisedUnary(name string, make func(n *ir.Node) func(float64) float64) Def {
	return Def{
		Name: name, Domain: microsoft, Versions: []int{1}, In: Arity{2, 5}, Out: Arity{1, 1}, Infer: sameType,
		Eval: func(c *Eval) error {
			f := make(c.Node)
			y := c.dequantised(0)
			for i, v := range y {
				y[i] = f(v)
			}
			c.quantise(y, c.Tensor(0).Shape, 3, 4)
			return nil
		},
	}
}

func quantisedBinary(name string, f func(a, b float64) float64) Def {
	return Def{
		Name: name, Domain: microsoft, Versions: []int{1}, In: Arity{2, 8}, Out: Arity{1, 1},
		Infer: func(c *Shape) error {
			if len(c.In) < 7 {
				return fmt.Errorf("%d operands; at least 7 are needed", len(c.In))
			}
			a, b := c.In[0], c.In[3]
			c.Set(0, ir.UnrankedType(a.DType))
			if !a.Ranked || !b.Ranked {
				return nil
			}
			shape, err := broadcastDims(a.Shape, b.Shape)
			c.Set(0, ir.TensorType(a.DType, shape...))
			return err
		},
		Eval: func(c *Eval) error {
			a, b := c.Need(0), c.Need(3)
			shape, err := broadcast(a.Shape, b.Shape)
			if err != nil {
				return err
			}
			x, y, out := c.dequantised(0), c.dequantised(3), c.zeros(shape...)
			rows(shape, [][]int{a.Shape, b.Shape}, func(at, n int, index, step []int) {
				for i := range n {
					out[at+i] = f(x[index[0]+i*step[0]], y[index[1]+i*step[1]])
				}
			})
			c.quantise(out, shape, 6, 7)
			return nil
		},
	}
}

// qlinearSoftmaxDef is Softmax of the version that the attribute opset names.
var qlinearSoftmaxDef = Def{
	Name: "QLinearSoftmax", Domain: microsoft, Versions: []int{1}, In: Arity{2, 5}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		shape, axis, err := normalizerAxis(c.Node, c.Node.Int("opset", 13), x.Shape)
		if err != nil {
			return err
		}
		y := c.dequantised(0)
		outer, n, inner := split3(shape, axis)
		row := make([]float64, n)
		for at := range outer * inner {
			first := at/max(inner, 1)*n*inner + at%max(inner, 1)
			for k := range row {
				row[k] = y[first+k*inner]
			}
			softmax(row)
			for k := range row {
				y[first+k*inner] = row[k]
			}
		}
		c.quantise(y, x.Shape, 3, 4)
		return nil
	},
}

// qlinearConcatDef joins quantised tensors of different scales.
var qlinearConcatDef = Def{
	Name: "QLinearConcat", Domain: microsoft, Versions: []int{1}, In: Arity{5, Variadic}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		parts := pick(c.In, every3(len(c.In)))
		inner := *c
		inner.In, inner.Node = parts, concatNode(c.Node, len(parts))
		inner.data, inner.outData = nil, nil
		err := concatDef.Infer(&inner)
		if len(inner.Out) > 0 {
			t := inner.Out[0]
			t.DType = c.In[1].DType
			c.Set(0, t)
		}
		return err
	},
	Eval: func(c *Eval) error {
		if len(c.In)%3 != 2 {
			return fmt.Errorf("%d operands; a scale, a zero point and then triples are needed", len(c.In))
		}
		var parts []*tensor.Tensor
		for _, i := range every3(len(c.In)) {
			parts = append(parts, tensor.Of(c.Need(i).Shape, c.dequantised(i)))
		}
		axis, err := normAxis(c.Node.Int("axis", 0), parts[0].Rank())
		if err != nil {
			return err
		}
		for _, p := range parts[1:] {
			want := slices.Clone(parts[0].Shape)
			if len(p.Shape) == len(want) {
				want[axis] = p.Shape[axis]
			}
			if !slices.Equal(want, p.Shape) {
				return fmt.Errorf("shapes %v and %v cannot be joined along axis %d", parts[0].Shape, p.Shape, axis)
			}
		}
		joined := mover(c.New).joined(parts, axis)
		y := tensor.Data[float64](joined)
		r, s := c.requantizer(1, len(y)), c.scale(0)
		for i, v := range y {
			r.put(i, v/s)
		}
		c.Set(0, r.tensor(joined.Shape))
		return nil
	},
}

// every3 are the positions of the tensors of QLinearConcat.
func every3(n int) []int {
	var out []int
	for i := 2; i < n; i += 3 {
		out = append(out, i)
	}
	return out
}

// concatNode is the Concat that joins the tensors of a QLinearConcat.
func concatNode(n *ir.Node, parts int) *ir.Node {
	return &ir.Node{Op: "Concat", In: pick(n.In, every3(len(n.In)))[:parts], Out: n.Out, Attrs: n.Attrs}
}

// qlinearAveragePoolDef is AveragePool, also of images whose channels come last.
var qlinearAveragePoolDef = Def{
	Name: "QLinearAveragePool", Domain: microsoft, Versions: []int{1}, In: Arity{2, 5}, Out: Arity{1, 1},
	Infer: func(c *Shape) error { return inferImages(c, inferPool) },
	Eval: func(c *Eval) error {
		return onImages(c, func(t *tensor.Tensor) ([]float64, []int, error) { return windowMeans(c, t) })
	},
}

// qlinearGlobalAveragePoolDef is GlobalAveragePool, also of images whose
// channels come last.
var qlinearGlobalAveragePoolDef = Def{
	Name: "QLinearGlobalAveragePool", Domain: microsoft, Versions: []int{1}, In: Arity{5, 5}, Out: Arity{1, 1},
	Infer: func(c *Shape) error { return inferImages(c, globalAveragePoolDef.Infer) },
	Eval: func(c *Eval) error {
		return onImages(c, func(t *tensor.Tensor) ([]float64, []int, error) {
			shape := slices.Clone(t.Shape)
			fill(shape[2:], 1)
			y, x := c.zeros(shape...), tensor.Data[float64](t)
			plane := tensor.Len(t.Shape[2:])
			for i := range y {
				for _, v := range x[i*plane : (i+1)*plane] {
					y[i] += v / float64(plane)
				}
			}
			return y, shape, nil
		})
	},
}

// onImages applies f to operand 0, brought to [batch, channels, ...], and
// quantises what it gives.
func onImages(c *Eval, f func(t *tensor.Tensor) ([]float64, []int, error)) error {
	rank := c.needRank(0, 3).Rank()
	t := tensor.Of(c.Tensor(0).Shape, c.dequantised(0))
	last := c.Node.Int("channels_last", 0) != 0
	to, back := channelOrders(rank)
	if last {
		t = mover(c.New).transposed(t, to)
	}
	y, shape, err := f(t)
	if err != nil {
		return err
	}
	out := tensor.Of(shape, y)
	if last {
		out = mover(c.New).transposed(out, back)
	}
	c.quantise(tensor.Data[float64](out), out.Shape, 3, 4)
	return nil
}

// channelOrders are the permutations that bring the last axis to the second
// place, and back.
func channelOrders(rank int) (to, back []int) {
	to, back = []int{0, rank - 1}, []int{0}
	for i := 1; i < rank-1; i++ {
		to, back = append(to, i), append(back, i+1)
	}
	return to, append(back, 1)
}

// inferImages applies a shape rule to operand 0 brought to [batch, channels,
// ...].
func inferImages(c *Shape, rule func(c *Shape) error) error {
	rank := c.In[0].Rank()
	if rank < 3 || c.Node.Int("channels_last", 0) == 0 {
		return rule(c)
	}
	to, back := channelOrders(rank)
	inner := *c
	inner.In = slices.Clone(c.In)
	inner.In[0].Shape = pick(c.In[0].Shape, to)
	err := rule(&inner)
	if len(c.Out) > 0 && c.Out[0].Ranked {
		c.Out[0].Shape = pick(c.Out[0].Shape, back)
	}
	return err
}
