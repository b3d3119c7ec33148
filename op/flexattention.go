package op

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// flexAttentionDef is attention whose scores and probabilities pass through
// sub-graphs. https://onnx.ai/onnx/operators/
var flexAttentionDef = Def{
	Name: "FlexAttention", Domain: "ai.onnx.preview", Versions: []int{1}, In: Arity{3, 3}, Out: Arity{1, 1},
	Infer: inferFlexAttention,
	Eval:  evalFlexAttention,
}

func evalFlexAttention(c *Eval) error {
	for i := range 3 {
		c.needShape(i, -1, -1, -1, -1)
	}
	q, k, v := c.heads(0, 0), c.heads(1, 0), c.heads(2, 0)
	if err := checkHeads(q, k, v); err != nil {
		return err
	}
	kind, err := flexPrecision(c.Node, c.Tensor(0).Type)
	if err != nil {
		return err
	}
	scale := float64(c.Node.Float("scale", float32(1/math.Sqrt(float64(q.size)))))
	shape := []int{q.batch, q.heads, q.length, k.length}
	scores := c.zeros(shape...)
	each := func(f func(b, h, shared, i int, row []float64)) {
		for at := range q.batch * q.heads * q.length {
			h := at / q.length % q.heads
			f(at/q.length/q.heads, h, h/(q.heads/k.heads), at%q.length, scores[at*k.length:][:k.length])
		}
	}
	each(func(b, h, shared, i int, row []float64) {
		for j := range row {
			row[j] = scale * dot(q.vec(b, h, i), k.vec(b, shared, j))
		}
	})
	if scores, err = modified(c, "score_mod", kind, shape, scores); err != nil {
		return err
	}
	each(func(_, _, _, _ int, row []float64) { softmax(row) })
	if scores, err = modified(c, "prob_mod", kind, shape, scores); err != nil {
		return err
	}
	y := c.newHeads(q.batch, q.heads, q.length, v.size, false)
	each(func(b, h, shared, i int, row []float64) {
		for j, p := range row {
			addScaled(y.vec(b, h, i), v.vec(b, shared, j), p)
		}
	})
	c.rounded(0, c.Tensor(0).Type, y.shape(), y.data)
	return nil
}

// flexPrecision is the element type that the sub-graphs see.
func flexPrecision(n *ir.Node, operand tensor.DType) (tensor.DType, error) {
	def := tensor.Float32
	if operand == tensor.Float64 {
		def = operand
	}
	return precision(n, "softmax_precision", def)
}

// modified passes values through the sub-graph of an attribute, unchanged where
// the node has none.
func modified(c *Eval, attr string, kind tensor.DType, shape []int, values []float64) ([]float64, error) {
	g := c.Node.Graph(attr)
	if g == nil {
		return values, nil
	}
	in, err := tensor.FromFloat64s(kind, shape, values)
	if err != nil {
		return nil, err
	}
	out, err := c.Run(g, []Val{in})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", attr, err)
	}
	if len(out) != 1 {
		return nil, fmt.Errorf("%s gives %d results; one is needed", attr, len(out))
	}
	t, ok := out[0].(*tensor.Tensor)
	if !ok || !slices.Equal(t.Shape, shape) || !t.Type.IsFloat() {
		return nil, fmt.Errorf("%s gives %v; a floating-point tensor of shape %v is needed", attr, TypeOfVal(out[0]), shape)
	}
	return slices.Clone(tensor.Float64s(t)), nil
}

func inferFlexAttention(c *Shape) error {
	q, k, v := c.In[0], c.In[1], c.In[2]
	c.Set(0, ir.TensorType(q.DType, dimAt(q, 0), dimAt(q, 1), dimAt(q, 2), dimAt(v, 3)))
	kind, err := flexPrecision(c.Node, q.DType)
	if err != nil {
		return err
	}
	for _, attr := range []string{"score_mod", "prob_mod"} {
		g := c.Node.Graph(attr)
		if g == nil || c.Sub == nil {
			continue
		}
		scores := ir.TensorType(kind, dimAt(q, 0), dimAt(q, 1), dimAt(q, 2), dimAt(k, 2))
		if _, err := c.Sub(g, []ir.Type{scores}); err != nil {
			return fmt.Errorf("%s: %w", attr, err)
		}
	}
	return nil
}
