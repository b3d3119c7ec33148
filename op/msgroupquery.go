package op

import (
	"fmt"
	"math"

	"pare/ir"
)

// groupQueryAttentionDef is causal attention with shared heads and a cache.
var groupQueryAttentionDef = Def{
	Name: "GroupQueryAttention", Domain: microsoft, Versions: []int{1}, In: Arity{1, 12}, Out: Arity{1, 3},
	Infer: func(c *Shape) error {
		q, kvHeads := c.In[0], c.Node.Int("kv_num_heads", 0)
		out, parts := q, c.Node.Int("num_heads", 0)
		if !c.Has(1) { // packed with the queries
			parts += 2 * kvHeads
			out = ir.TensorType(q.DType, dimAt(q, 0), dimAt(q, 1), ir.Unknown)
		}
		c.Set(0, out)
		_, _, _, size := headDims(q, parts)
		cache := ir.TensorType(q.DType, dimAt(q, 0), ir.Known(max(0, kvHeads)), ir.Unknown, size)
		c.Set(1, cache)
		c.Set(2, cache)
		return nil
	},
	Eval: evalGroupQueryAttention,
}

func evalGroupQueryAttention(c *Eval) error {
	n := c.Node
	qHeads, kvHeads := n.Int("num_heads", 0), n.Int("kv_num_heads", 0)
	for _, name := range []string{"k_quant_type", "v_quant_type"} {
		if n.Str(name, "NONE") != "NONE" {
			return fmt.Errorf("quantised caches (%s %q) are not known", name, n.Str(name, ""))
		}
	}
	q, k, v, err := c.groupedHeads(qHeads, kvHeads)
	if err != nil {
		return err
	}
	g := &grouped{c: c, length: q.length}
	if err := g.readLengths(q.batch); err != nil {
		return err
	}
	if n.Int("do_rotary", 0) != 0 {
		q, k = g.turned(q), g.turned(k)
	}
	a := &attention{
		q: q, k: g.cached(k, 3), v: g.cached(v, 4), causal: n.Int("causal", 1) != 0, left: -1, right: -1,
		before: g.before, valid: g.total, softcap: float64(n.Float("softcap", 0)),
	}
	if err := checkHeads(q, a.k, a.v); err != nil {
		return err
	}
	if w := n.Int("local_window_size", -1); w >= 0 {
		a.left = w - 1
	}
	if a.scale = float64(n.Float("scale", 0)); a.scale == 0 {
		a.scale = 1 / math.Sqrt(float64(q.size))
	}
	if c.Has(11) {
		a.sinks = c.optReals(11, qHeads)
	} else if n.Int("smooth_softmax", -1) == 1 {
		a.sinks = make([]float64, qHeads)
	}
	a.readMask(c, 10)
	if err := a.run(c); err != nil {
		return err
	}
	kind := c.Tensor(0).Type
	c.rounded(0, kind, a.y.shape(), a.y.data)
	c.rounded(1, kind, a.k.shape(), a.k.data)
	c.rounded(2, kind, a.v.shape(), a.v.data)
	return nil
}

// groupedHeads reads queries, keys and values, which may be packed behind each
// other in operand 0.
func (c *Eval) groupedHeads(qHeads, kvHeads int) (q, k, v *heads, err error) {
	if qHeads < 1 || kvHeads < 1 {
		return nil, nil, nil, fmt.Errorf("%d query heads and %d key and value heads", qHeads, kvHeads)
	}
	t := c.needShape(0, -1, -1, -1)
	if c.Has(1) {
		c.needShape(1, -1, -1, -1)
		c.needShape(2, -1, -1, -1)
		return c.heads(0, qHeads), c.heads(1, kvHeads), c.heads(2, kvHeads), nil
	}
	all := c.heads(0, qHeads+2*kvHeads)
	part := func(first, n int) *heads {
		out := c.newHeads(t.Shape[0], n, t.Shape[1], all.size, true)
		for b := range all.batch {
			for s := range all.length {
				for h := range n {
					copy(out.vec(b, h, s), all.vec(b, first+h, s))
				}
			}
		}
		return out
	}
	return part(0, qHeads), part(qHeads, kvHeads), part(qHeads+kvHeads, kvHeads), nil
}

// grouped is where the tokens of a GroupQueryAttention stand.
type grouped struct {
	c             *Eval
	length        int   // of the queries
	size          int   // of the cache
	before, total []int // tokens of each sequence before the queries, and in all
}

func (g *grouped) readLengths(batch int) error {
	c := g.c
	c.needLen(5, batch)
	c.needLen(6, 1)
	g.size = c.Ints(6)[0]
	prompt := g.size == g.length
	for _, last := range c.Ints(5) {
		total, before := last+1, 0
		if !prompt {
			before = total - g.length
		}
		if before < 0 || total < 1 || total > g.size {
			return fmt.Errorf("seqlens_k %v and total_sequence_length %d do not fit %d queries", c.Ints(5), g.size, g.length)
		}
		g.before, g.total = append(g.before, before), append(g.total, total)
	}
	for _, i := range []int{3, 4} {
		if c.Has(i) {
			g.size = max(g.size, c.needShape(i, -1, -1, -1, -1).Shape[2])
		}
	}
	return nil
}

// turned is x after rotary embedding.
func (g *grouped) turned(x *heads) *heads {
	positions := make([]int, x.batch*x.length)
	for i := range positions {
		positions[i] = g.before[i/x.length] + i%x.length
	}
	if g.c.Has(9) && len(g.c.Ints(9)) == len(positions) {
		positions = g.c.Ints(9)
	}
	half := g.c.needShape(7, -1, -1).Shape[1]
	if 2*half > x.size {
		refuse("the cosines are %v for heads of size %d", g.c.Tensor(7), x.size)
	}
	y := g.c.newHeads(x.batch, x.heads, x.length, x.size, x.packed)
	rotate(y, x, 2*half, g.c.Node.Int("rotary_interleaved", 0) != 0, g.c.tableAngles(7, 8, positions, x.length, half))
	return y
}

// cached puts new keys or values behind those of the cache, operand i.
func (g *grouped) cached(x *heads, i int) *heads {
	out := g.c.newHeads(x.batch, x.heads, g.size, x.size, false)
	past := &heads{batch: x.batch, heads: x.heads, size: x.size}
	if g.c.Has(i) {
		past.length = g.c.needShape(i, x.batch, x.heads, -1, x.size).Shape[2]
		past.data = g.c.reals(i)
	}
	for b := range x.batch {
		for h := range x.heads {
			for t := range min(g.before[b], past.length) {
				copy(out.vec(b, h, t), past.vec(b, h, t))
			}
			for t := range min(x.length, g.size-g.before[b]) {
				copy(out.vec(b, h, g.before[b]+t), x.vec(b, h, t))
			}
		}
	}
	return out
}
