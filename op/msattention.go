package op

import (
	"fmt"
	"math"

	"pare/ir"
)

// msRotaryDef turns pairs of elements as RotaryEmbedding does, from before it
// was standard.
var msRotaryDef = Def{
	Name: "RotaryEmbedding", Domain: microsoft, Versions: []int{1}, In: Arity{4, 4}, Out: Arity{1, 1}, Infer: sameType,
	Eval: func(c *Eval) error {
		n := c.Node
		table := c.needShape(2, -1, -1)
		dim, count := n.Int("rotary_embedding_dim", 0), n.Int("num_heads", 0)
		if dim == 0 {
			dim = 2 * table.Shape[1]
		}
		if t := c.Need(0); t.Rank() == 3 && count == 0 && dim > 0 {
			count = t.Shape[2] / dim
		}
		x := c.heads(0, count)
		if dim < 2 || dim%2 != 0 || dim > x.size || n.Int("is_packed_batching", 0) != 0 {
			return fmt.Errorf("%d of %d elements of a head cannot be turned in pairs", dim, x.size)
		}
		ids := c.Ints(1)
		positions := make([]int, x.batch*x.length)
		switch len(ids) {
		case len(positions):
			copy(positions, ids)
		case 1: // where the first one stands
			for i := range positions {
				positions[i] = ids[0] + i%x.length
			}
		default:
			return fmt.Errorf("position ids are %v for an input %v", c.Tensor(1), c.Tensor(0))
		}
		y := c.newHeads(x.batch, x.heads, x.length, x.size, x.packed)
		rotate(y, x, dim, n.Int("interleaved", 0) != 0, c.tableAngles(2, 3, positions, x.length, dim/2))
		c.rounded(0, c.Tensor(0).Type, y.shape(), y.data)
		return nil
	},
}

// tableAngles looks cosines and sines up by the positions of a batch of
// sequences.
func (c *Eval) tableAngles(cosine, sine int, positions []int, length, half int) func(b, t int) (cos, sin []float64) {
	n := c.needShape(cosine, -1, half).Shape[0]
	c.needShape(sine, n, half)
	cs, ss := c.reals(cosine), c.reals(sine)
	for _, p := range positions {
		if p < 0 || p >= n {
			refuse("position %d is outside the table of %d positions", p, n)
		}
	}
	return func(b, t int) (cos, sin []float64) {
		at := positions[b*length+t] * half
		return cs[at:][:half], ss[at:][:half]
	}
}

// multiHeadAttentionDef is attention of projected queries, keys and values.
var multiHeadAttentionDef = Def{
	Name: "MultiHeadAttention", Domain: microsoft, Versions: []int{1}, In: Arity{1, 8}, Out: Arity{1, 3},
	Infer: func(c *Shape) error {
		q := c.In[0]
		c.Set(0, ir.UnrankedType(q.DType))
		if len(c.In) < 3 {
			return nil
		}
		count := c.Node.Int("num_heads", 0)
		if q.Rank() == 3 && c.In[2].Rank() == 3 {
			c.Set(0, ir.TensorType(q.DType, q.Shape[0], q.Shape[1], c.In[2].Shape[2]))
		}
		for i, t := range c.In[1:3] {
			batch, heads, length, size := headDims(t, count)
			if c.Has(6) {
				length = dimOf(addDim(elemOf(dimAt(c.In[6], 2)), elemOf(length)))
			}
			c.Set(1+i, ir.TensorType(q.DType, batch, heads, length, size))
		}
		return nil
	},
	Eval: evalMultiHeadAttention,
}

func evalMultiHeadAttention(c *Eval) error {
	n := c.Node
	count := n.Int("num_heads", 0)
	if !c.Has(1) || !c.Has(2) || c.Need(1).Rank() != c.Need(2).Rank() {
		return fmt.Errorf("keys and values packed with others are not known; give them on their own")
	}
	c.needShape(0, -1, -1, -1)
	q, k, v := c.heads(0, count), c.heads(1, count), c.heads(2, count)
	if c.Has(3) {
		c.needLen(3, count*(q.size+k.size+v.size))
		bias := c.reals(3)
		for _, h := range []*heads{q, k, v} {
			h.data = addBias(h, bias[:count*h.size])
			bias = bias[count*h.size:]
		}
	}
	if c.Has(6) != c.Has(7) {
		return fmt.Errorf("past keys and past values must be given together")
	}
	a := &attention{q: q, left: -1, right: -1, causal: n.Int("unidirectional", 0) != 0}
	if c.Has(6) {
		a.past = c.needShape(6, -1, -1, -1, -1).Shape[2]
	}
	a.k, a.v = k.after(c, 6), v.after(c, 7)
	if err := checkHeads(q, a.k, a.v); err != nil {
		return err
	}
	if a.scale = float64(n.Float("scale", 0)); a.scale == 0 {
		a.scale = 1 / math.Sqrt(float64(q.size))
	}
	a.readMask(c, 5)
	if err := a.hidePadding(c, 4); err != nil {
		return err
	}
	if err := a.run(c); err != nil {
		return err
	}
	kind := c.Tensor(0).Type
	c.rounded(0, kind, a.y.shape(), a.y.data)
	c.rounded(1, kind, a.k.shape(), a.k.data)
	c.rounded(2, kind, a.v.shape(), a.v.data)
	return nil
}

// addBias is the data of h plus a bias for each element of the packed heads.
func addBias(h *heads, bias []float64) []float64 {
	out := *h
	out.data = append([]float64(nil), h.data...)
	for b := range h.batch {
		for n := range h.heads {
			for t := range h.length {
				addScaled(out.vec(b, n, t), bias[n*h.size:][:h.size], 1)
			}
		}
	}
	return out.data
}

// hidePadding reads which keys are padding: the lengths of the sequences, or 0
// and 1 for every key or every pair of a query and a key.
func (a *attention) hidePadding(c *Eval, operand int) error {
	if !c.Has(operand) {
		return nil
	}
	shown, hide := c.Ints(operand), float64(c.Node.Float("mask_filter_value", -10000))
	batch, queries, keys := a.q.batch, a.q.length, a.k.length
	var visible func(b, i, j int) bool
	switch len(shown) {
	case batch:
		visible = func(b, i, j int) bool { return j < shown[b] }
	case batch * keys:
		visible = func(b, i, j int) bool { return shown[b*keys+j] != 0 }
	case batch * queries * keys:
		visible = func(b, i, j int) bool { return shown[(b*queries+i)*keys+j] != 0 }
	default:
		return fmt.Errorf("the padding mask is %v for %d queries and %d keys", c.Tensor(operand), queries, keys)
	}
	full := c.zeros(batch, a.q.heads, queries, keys)
	for at := range full {
		j, i, h, b := at%keys, at/keys%queries, at/keys/queries%a.q.heads, at/keys/queries/a.q.heads
		full[at] = a.maskAt(b, h, i, j)
		if !visible(b, i, j) {
			full[at] += hide
		}
	}
	a.mask, a.maskLength = full, keys
	copy(a.maskStrides[:], strides([]int{batch, a.q.heads, queries, keys}))
	return nil
}
