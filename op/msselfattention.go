package op

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// msAttentionDef projects its input to queries, keys and values and attends.
var msAttentionDef = Def{
	Name: "Attention", Domain: microsoft, Versions: []int{1}, In: Arity{2, 6}, Out: Arity{1, 2},
	Infer: func(c *Shape) error {
		x := c.In[0]
		sizes := c.Node.Ints("qkv_hidden_sizes")
		hidden := ir.Unknown
		if len(sizes) == 3 {
			hidden = ir.Known(max(0, sizes[2]))
		} else if d := dimAt(c.In[1], 1); d.IsKnown() {
			hidden = ir.Known(d.N / 3)
		}
		c.Set(0, ir.TensorType(x.DType, dimAt(x, 0), dimAt(x, 1), hidden))
		c.Set(1, ir.TensorType(x.DType, ir.Known(2), dimAt(x, 0), ir.Known(max(0, c.Node.Int("num_heads", 0))), ir.Unknown, ir.Unknown))
		return nil
	},
	Eval: evalMsAttention,
}

func evalMsAttention(c *Eval) error {
	n := c.Node
	count := n.Int("num_heads", 0)
	if n.Int("do_rotary", 0) != 0 || n.Int("past_present_share_buffer", 0) != 0 {
		return fmt.Errorf("rotary embedding and shared buffers are not known here; use GroupQueryAttention")
	}
	q, k, v, err := c.projected(count)
	if err != nil {
		return err
	}
	a := &attention{q: q, left: -1, right: -1, causal: n.Int("unidirectional", 0) != 0}
	caches := *c
	caches.In = []Val{nil, nil}
	if c.Has(4) { // keys and values on top of each other
		t := c.needShape(4, 2, q.batch, count, -1, q.size)
		a.past = t.Shape[3]
		values, half := c.reals(4), t.Len()/2
		for i := range 2 {
			caches.In[i] = tensor.Of(t.Shape[1:], values[i*half:(i+1)*half])
		}
	}
	a.k, a.v = k.after(&caches, 0), v.after(&caches, 1)
	if err := checkHeads(q, a.k, a.v); err != nil {
		return err
	}
	if a.scale = float64(n.Float("scale", 0)); a.scale == 0 {
		a.scale = 1 / math.Sqrt(float64(q.size))
	}
	a.readMask(c, 5)
	if err := a.hidePadding(c, 3); err != nil {
		return err
	}
	if err := a.run(c); err != nil {
		return err
	}
	kind := c.Tensor(0).Type
	c.rounded(0, kind, a.y.shape(), a.y.data)
	if a.k.size == a.v.size {
		c.rounded(1, kind, append([]int{2}, a.k.shape()...), append(a.k.data, a.v.data...))
	}
	return nil
}

// projected multiplies operand 0 by the weights, operand 1, whose columns are
// those of queries, keys and values, and adds the bias, operand 2.
func (c *Eval) projected(count int) (q, k, v *heads, err error) {
	x := c.needShape(0, -1, -1, -1)
	w := c.needShape(1, x.Shape[2], -1)
	columns := w.Shape[1]
	sizes := c.Node.Ints("qkv_hidden_sizes")
	if sizes == nil {
		sizes = []int{columns / 3, columns / 3, columns / 3}
	}
	if len(sizes) != 3 || min(sizes[0], sizes[1], sizes[2]) < 1 || sizes[0]+sizes[1]+sizes[2] != columns || count < 1 ||
		sizes[0]%count != 0 || sizes[1]%count != 0 || sizes[2]%count != 0 {
		return nil, nil, nil, fmt.Errorf("%d columns do not split into %v for %d heads", columns, sizes, count)
	}
	xs, ws, bias := c.reals(0), c.reals(1), c.optReals(2, columns)
	out := make([]*heads, 3)
	first := 0
	for i, size := range sizes {
		h := c.newHeads(x.Shape[0], count, x.Shape[1], size/count, true)
		for r := range x.Shape[0] * x.Shape[1] {
			row := h.data[r*size:][:size]
			if bias != nil {
				copy(row, bias[first:])
			}
			for j, u := range xs[r*x.Shape[2]:][:x.Shape[2]] {
				addScaled(row, ws[j*columns+first:][:size], u)
			}
		}
		out[i] = h
		first += size
	}
	return out[0], out[1], out[2], nil
}
