package op

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
)

// linearAttentionDef is attention as a recurrence over a matrix state.
// https://onnx.ai/onnx/operators/onnx__LinearAttention.html
var linearAttentionDef = Def{
	Name: "LinearAttention", Versions: []int{27}, In: Arity{3, 6}, Out: Arity{1, 2},
	Infer: inferLinearAttention,
	Eval:  evalLinearAttention,
}

func evalLinearAttention(c *Eval) error {
	n := c.Node
	for i := range 3 {
		c.needShape(i, -1, -1, -1)
	}
	qHeads, kvHeads := n.Int("q_num_heads", 0), n.Int("kv_num_heads", 0)
	q, k, v := c.heads(0, qHeads), c.heads(1, kvHeads), c.heads(2, kvHeads)
	if err := checkHeads(q, k, v); err != nil {
		return err
	}
	if q.length != k.length {
		return fmt.Errorf("%d queries and %d keys; as many are needed", q.length, k.length)
	}
	rule := n.Str("update_rule", "gated_delta")
	if !slices.Contains([]string{"linear", "gated", "delta", "gated_delta"}, rule) {
		return fmt.Errorf("update_rule %q is unknown; use linear, gated, delta or gated_delta", rule)
	}
	l := &linearAttention{q: q, k: k, v: v, scale: float64(n.Float("scale", 0))}
	if l.scale == 0 {
		l.scale = 1 / math.Sqrt(float64(q.size))
	}
	gated, delta := rule == "gated" || rule == "gated_delta", rule == "delta" || rule == "gated_delta"
	if gated != c.Has(4) || delta != c.Has(5) {
		return fmt.Errorf("update_rule %q: decay is given: %v, beta is given: %v", rule, c.Has(4), c.Has(5))
	}
	if gated {
		l.decay = l.perHead(c, 4, k.size)
	}
	if delta {
		l.beta = l.perHead(c, 5, 1)
	}
	shape := []int{q.batch, k.heads, k.size, v.size}
	l.state = c.zeros(shape...)
	kind := c.Tensor(0).Type
	if c.Has(3) {
		copy(l.state, tensorOfShape(c, 3, shape))
		kind = c.Tensor(3).Type
	}
	y := c.newHeads(q.batch, q.heads, q.length, v.size, true)
	for b := range q.batch {
		for t := range q.length {
			if err := c.Ctx.Err(); err != nil {
				return err
			}
			for h := range k.heads {
				l.update(b, h, t)
			}
			for h := range q.heads {
				l.read(y.vec(b, h, t), b, h, t)
			}
		}
	}
	c.rounded(0, c.Tensor(0).Type, y.shape(), y.data)
	c.rounded(1, kind, shape, l.state)
	return nil
}

func tensorOfShape(c *Eval, i int, shape []int) []float64 {
	c.needShape(i, shape...)
	return c.reals(i)
}

// linearAttention is one application of the operator.
type linearAttention struct {
	q, k, v     *heads
	scale       float64
	decay, beta *heads    // nil where the rule has none
	state       []float64 // [batch, heads, key size, value size]
}

// perHead reads operand i, [batch, length, heads·m] where m is 1 or size. For
// size 1, [batch, length, 1] is shared by all heads.
func (l *linearAttention) perHead(c *Eval, i, size int) *heads {
	t := c.needShape(i, l.k.batch, l.k.length, -1)
	switch last := t.Shape[2]; {
	case last == l.k.heads, last == l.k.heads*size, size == 1 && last == 1:
		return c.heads(i, min(last, l.k.heads))
	}
	refuse("operand %d is %v, which does not fit %d heads of size %d", i, t, l.k.heads, size)
	return nil
}

// at is the state of one head.
func (l *linearAttention) at(b, h int) []float64 {
	size := l.k.size * l.v.size
	return l.state[(b*l.k.heads+h)*size:][:size]
}

// update forgets, and writes the value of step t under its key.
func (l *linearAttention) update(b, h, t int) {
	state, key, m := l.at(b, h), l.k.vec(b, h, t), l.v.size
	if l.decay != nil {
		g := l.decay.vec(b, h, t)
		for i := range state {
			state[i] *= math.Exp(g[i/m%len(g)])
		}
	}
	value := slices.Clone(l.v.vec(b, h, t))
	if l.beta != nil {
		for i, k := range key {
			addScaled(value, state[i*m:][:m], -k)
		}
		rate := l.beta.vec(b, h%l.beta.heads, t)[0]
		for i := range value {
			value[i] *= rate
		}
	}
	for i, k := range key {
		addScaled(state[i*m:][:m], value, k)
	}
}

// read looks up the query of step t.
func (l *linearAttention) read(y []float64, b, h, t int) {
	state := l.at(b, h/(l.q.heads/l.k.heads))
	for i, q := range l.q.vec(b, h, t) {
		addScaled(y, state[i*l.v.size:][:l.v.size], l.scale*q)
	}
}

func inferLinearAttention(c *Shape) error {
	n := c.Node
	qHeads, kvHeads := n.Int("q_num_heads", 0), n.Int("kv_num_heads", 0)
	if qHeads < 1 || kvHeads < 1 || qHeads%kvHeads != 0 {
		return fmt.Errorf("%d query heads cannot share %d key and value heads", qHeads, kvHeads)
	}
	batch, _, length, _ := headDims(c.In[0], qHeads)
	_, _, _, keySize := headDims(c.In[1], kvHeads)
	_, _, _, valueSize := headDims(c.In[2], kvHeads)
	c.Set(0, ir.TensorType(c.In[0].DType, batch, length, dimOf(mulDim(ir.Known(qHeads), elemOf(valueSize)))))
	kind := c.In[0].DType
	if c.Has(3) {
		kind = c.In[3].DType
	}
	c.Set(1, ir.TensorType(kind, batch, ir.Known(kvHeads), keySize, valueSize))
	return nil
}
