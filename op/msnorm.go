package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// skipLayerNormDef is layer normalisation of a sum.
var skipLayerNormDef = Def{
	Name: "SkipLayerNormalization", Domain: microsoft, Versions: []int{1}, In: Arity{3, 5}, Out: Arity{1, 4},
	Infer: inferSkipNorm,
	Eval: func(c *Eval) error {
		eps := float64(c.Node.Float("epsilon", 1e-12))
		return skipNorm(c, 3, 4, func(y, x []float64) (float64, float64) { return standardise(y, x, eps) })
	},
}

// skipSimplifiedLayerNormDef is division of a sum by its root mean square.
var skipSimplifiedLayerNormDef = Def{
	Name: "SkipSimplifiedLayerNormalization", Domain: microsoft, Versions: []int{1}, In: Arity{3, 4}, Out: Arity{1, 4},
	Infer: inferSkipNorm,
	Eval: func(c *Eval) error {
		eps := float64(c.Node.Float("epsilon", 1e-12))
		return skipNorm(c, -1, 3, func(y, x []float64) (float64, float64) { return 0, divideByRMS(y, x, eps) })
	},
}

// simplifiedLayerNormDef is RMSNormalization as ONNX Runtime wrote it, in the
// standard domain, before there was one.
var simplifiedLayerNormDef = Def{
	Name: "SimplifiedLayerNormalization", Versions: []int{1}, In: Arity{2, 2}, Out: Arity{1, 2},
	Infer: func(c *Shape) error {
		inner := *c
		inner.Out = make([]ir.Type, 3)
		err := inferLayerNorm(&inner)
		inner.Out[0].DType = c.In[1].DType
		c.Set(0, inner.Out[0])
		c.Set(1, inner.Out[2])
		return err
	},
	Eval: func(c *Eval) error {
		eps := float64(c.Node.Float("epsilon", 1e-5))
		inner := *c
		inner.Out = make([]Val, 3)
		err := normLast(&inner, func(y, x []float64) (float64, float64) { return 0, divideByRMS(y, x, eps) })
		c.Set(0, inner.Out[0])
		c.Set(1, inner.Out[2])
		return err
	},
}

// skipNorm normalises operand 0 plus operand 1 plus the bias over the last axis
// by f, then applies the scale, operand 2, and the shift beta. Operands -1 do
// not exist.
func skipNorm(c *Eval, beta, bias int, f func(y, x []float64) (mean, inverse float64)) error {
	t := c.needRank(0, 1)
	sum := append([]float64(nil), c.reals(0)...)
	eachBroadcast(c, t.Shape, 1, func(i int, v float64) { sum[i] += v })
	if c.Has(bias) {
		eachBroadcast(c, t.Shape, bias, func(i int, v float64) { sum[i] += v })
	}
	c.rounded(3, t.Type, t.Shape, sum)
	return c.normRows(sum, t.Shape, t.Type, 2, beta, f)
}

// normRows normalises the rows of x by f, scales and shifts them, and stores the
// results 0 to 2: the rows, their means and inverse deviations.
func (c *Eval) normRows(x []float64, shape []int, kind tensor.DType, gamma, beta int, f func(y, x []float64) (mean, inverse float64)) error {
	size := shape[len(shape)-1]
	y := c.zeros(shape...)
	stats := append([]int(nil), shape...)
	stats[len(stats)-1] = 1
	mean, inverse := c.zeros(stats...), c.zeros(stats...)
	if size > 0 {
		for i := range mean {
			mean[i], inverse[i] = f(y[i*size:(i+1)*size], x[i*size:(i+1)*size])
		}
	}
	eachBroadcast(c, shape, gamma, func(i int, v float64) { y[i] *= v })
	if beta >= 0 && c.Has(beta) {
		eachBroadcast(c, shape, beta, func(i int, v float64) { y[i] += v })
	}
	c.rounded(0, kind, shape, y)
	c.rounded(1, tensor.Float32, stats, mean)
	c.rounded(2, tensor.Float32, stats, inverse)
	return nil
}

func inferSkipNorm(c *Shape) error {
	t := c.In[0]
	c.Set(0, t)
	c.Set(3, t)
	t.DType = tensor.Float32
	if t.Ranked && len(t.Shape) > 0 {
		t.Shape = append([]ir.Dim(nil), t.Shape...)
		t.Shape[len(t.Shape)-1] = ir.Known(1)
	}
	c.Set(1, t)
	c.Set(2, t)
	return nil
}

// embedLayerNormDef is layer normalisation of a sum of embeddings.
var embedLayerNormDef = Def{
	Name: "EmbedLayerNormalization", Domain: microsoft, Versions: []int{1}, In: Arity{1, 9}, Out: Arity{1, 3},
	Infer: func(c *Shape) error {
		if len(c.In) < 7 {
			return fmt.Errorf("%d operands; at least 7 are needed", len(c.In))
		}
		ids, words := c.In[0], c.In[2]
		c.Set(0, ir.TensorType(words.DType, dimAt(ids, 0), dimAt(ids, 1), dimAt(words, 1)))
		c.Set(1, ir.TensorType(tensor.Int32, dimAt(ids, 0)))
		c.Set(2, ir.TensorType(words.DType, dimAt(ids, 0), dimAt(ids, 1), dimAt(words, 1)))
		return nil
	},
	Eval: evalEmbedLayerNorm,
}

func evalEmbedLayerNorm(c *Eval) error {
	ids := c.needShape(0, -1, -1)
	batch, length := ids.Shape[0], ids.Shape[1]
	words := c.needShape(2, -1, -1)
	size := words.Shape[1]
	shape := []int{batch, length, size}
	sum := c.zeros(shape...)
	err := c.addEmbeddings(sum, 2, size, c.Ints(0))
	if err != nil {
		return err
	}
	positions := make([]int, batch*length)
	for i := range positions {
		positions[i] = i % length
	}
	if c.Has(8) {
		given := c.Ints(8)
		if len(given) != length && len(given) != len(positions) {
			return fmt.Errorf("position ids are %v; the ids are %v", c.Tensor(8), ids)
		}
		for i := range positions {
			positions[i] = given[i%len(given)]
		}
	}
	if err := c.addEmbeddings(sum, 3, size, positions); err != nil {
		return err
	}
	if c.Has(1) && c.Has(4) {
		c.needShape(1, batch, length)
		if err := c.addEmbeddings(sum, 4, size, c.Ints(1)); err != nil {
			return err
		}
	}
	inner := *c
	inner.Out = make([]Val, 1)
	eps := float64(c.Node.Float("epsilon", 1e-12))
	err = inner.normRows(sum, shape, words.Type, 5, 6, func(y, x []float64) (float64, float64) { return standardise(y, x, eps) })
	c.Set(0, inner.Out[0])
	count := make([]int32, batch)
	if c.Has(7) {
		c.needShape(7, batch, length)
		for i, m := range c.Ints(7) {
			if m == 1 {
				count[i/length]++
			}
		}
	}
	c.Set(1, tensor.Of([]int{batch}, count))
	c.rounded(2, words.Type, shape, sum)
	return err
}

// addEmbeddings adds to each row of sum the row of operand i that the index
// names.
func (c *Eval) addEmbeddings(sum []float64, i, size int, index []int) error {
	n := c.needShape(i, -1, size).Shape[0]
	table := c.reals(i)
	for k, id := range index {
		if id < 0 || id >= n {
			return fmt.Errorf("index %d is outside operand %d, %v", id, i, c.Tensor(i))
		}
		addScaled(sum[k*size:][:size], table[id*size:][:size], 1)
	}
	return nil
}
