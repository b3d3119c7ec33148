package engine

import (
	"math"
	"slices"

	"pare/ir"
)

// attention is softmax(α·Q·K + mask)·V for a batch of matrices. Its steps pass over
// rows of Q, so that scores never leave the cache.
type attention struct {
	scores  *ir.Node // Q·K
	q, k, v gridded
	alpha   float32
	mask    *ir.Value // nil: none
	probs   *codeGrid // of the softmax, nil where it stays real
	nodes   []*ir.Node
}

// gridded is a computed matrix, with the grid that it is brought onto, if any.
type gridded struct {
	x    *ir.Value
	grid *codeGrid
}

// findAttentions matches attentions by their softmax. They are emitted at their
// last product, when all operands are there.
func (b *builder) findAttentions() {
	if b.m.Opset("") < 13 {
		return
	}
	for _, n := range b.m.Graph.Nodes {
		if !b.alive[n] || !is(n, "Softmax") || b.m.Function(n) != nil || !b.static(n) {
			continue
		}
		if axis, ok := axisOf(n.Int("axis", -1), len(b.val(n.In[0]).shape)); !ok || axis != len(b.val(n.In[0]).shape)-1 {
			continue
		}
		if a, last := b.attentionAround(n); a != nil {
			b.attentions[last] = a
			b.absorb(a.nodes...)
		}
	}
}

// attentionAround follows a softmax both ways.
func (b *builder) attentionAround(softmax *ir.Node) (*attention, *ir.Node) {
	a := &attention{alpha: 1, nodes: []*ir.Node{softmax}}
	last := b.only(softmax.Out[0])
	if e, ok := b.encoderOf(last); last != nil && ok {
		if e.steps != nil || len(e.reals) != 1 {
			return nil, nil
		}
		a.probs, a.nodes = &e.codeGrid, append(a.nodes, e.nodes...)
		last = b.only(e.reals[0])
	}
	if !b.runtimeProduct(last) || !slices.Contains(append(slices.Clone(a.nodes), softmax), last.In[0].Producer()) {
		return nil, nil
	}
	if !b.scoresOf(a, softmax.In[0]) {
		return nil, nil
	}
	a.q, a.k, a.v = b.gridded(a, a.scores.In[0], true), b.gridded(a, a.scores.In[1], true), b.gridded(a, last.In[1], false)
	// All are codes, or none.
	onGrid := a.probs != nil
	for _, o := range []gridded{a.q, a.k, a.v} {
		if (o.grid != nil) != onGrid {
			return nil, nil
		}
	}
	return a, last
}

// runtimeProduct reports whether n multiplies matrices that are both computed.
func (b *builder) runtimeProduct(n *ir.Node) bool {
	return is(n, "MatMul") && b.static(n) && b.real(n.In[0], n.In[1], n.Out[0]) && b.cst(n.In[0]) == nil && b.cst(n.In[1]) == nil &&
		len(b.val(n.In[0]).shape) >= 2 && len(b.val(n.In[1]).shape) >= 2
}

// scoresOf follows what is softened back to a product.
func (b *builder) scoresOf(a *attention, v *ir.Value) bool {
	for i := 0; ; i++ {
		n := v.Producer()
		if n == nil || b.only(v) == nil || !b.alive[n] || b.done[n] || !b.static(n) || !b.real(n.Out[0]) {
			return false
		}
		a.nodes = append(a.nodes, n)
		switch {
		case b.runtimeProduct(n):
			a.scores = n
			return true
		case i == 0 && is(n, "Add"):
			if v = b.masked(a, n); v == nil {
				return false
			}
		case i < 2 && b.factor(n, v) != 0:
			a.alpha *= b.factor(n, v)
			v = n.In[0]
			if b.cst(v) != nil {
				v = n.In[1]
			}
		default:
			return false
		}
	}
}

// masked takes the operand of a sum that is no product for the mask and returns
// the other.
func (b *builder) masked(a *attention, n *ir.Node) *ir.Value {
	shape := b.val(n.Out[0]).shape
	for i, v := range n.In {
		m := n.In[1-i]
		p := v.Producer()
		s := b.val(m).shape
		product := b.runtimeProduct(p) || p != nil && len(p.Out) == 1 && b.factor(p, p.Out[0]) != 0
		if product && slices.Equal(b.val(v).shape, shape) && b.real(m) && len(s) > 0 && len(s) <= len(shape) && s[len(s)-1] == shape[len(shape)-1] {
			a.mask = m
			return v
		}
	}
	return nil
}

// factor is the constant number that n multiplies the value by, whose result is v;
// 0 where it does something else.
func (b *builder) factor(n *ir.Node, v *ir.Value) float32 {
	if n == nil || len(n.In) != 2 || n.Out[0] != v || !b.real(n.In...) {
		return 0
	}
	x, ok := b.scalar(n.In[1])
	o := n.In[0]
	if !ok && is(n, "Mul") {
		x, ok = b.scalar(n.In[0])
		o = n.In[1]
	}
	if is(n, "Div") {
		x = 1 / x
	}
	if !ok || !is(n, "Mul") && !is(n, "Div") || b.cst(o) != nil || b.powers[n] != nil || !slices.Equal(b.val(o).shape, b.val(v).shape) ||
		x != x || math.Abs(float64(x)) > 1e30 {
		return 0
	}
	return x
}

// gridded is v without the grid and the factor, for what scales, that it comes from.
func (b *builder) gridded(a *attention, v *ir.Value, scales bool) gridded {
	o := gridded{x: v}
	if e, q := b.gridBefore(v); e != nil {
		o.x, o.grid = q.In[0], &e.codeGrid
		a.nodes = append(a.nodes, e.nodes...)
	}
	if scales {
		b.takeFactor(a, &o)
	}
	return o
}

// gridBefore is the encoder whose result v is, and its first node, where nothing else
// reads that.
func (b *builder) gridBefore(v *ir.Value) (*encoder, *ir.Node) {
	d := v.Producer()
	if !is(d, "DequantizeLinear") || b.only(v) == nil || !b.alive[d] || b.done[d] {
		return nil, nil
	}
	q := d.In[0].Producer()
	if !is(q, "QuantizeLinear") || !b.alive[q] || b.done[q] || !b.real(q.In[0]) {
		return nil, nil
	}
	e, ok := b.encoderOf(q)
	if !ok || e.steps != nil || len(e.reals) != 1 {
		return nil, nil
	}
	return e, q
}

// takeFactor takes a product with a number out of an operand; x·2^e on a grid is x on
// a grid of other steps, times 2^e, and other factors stay before a grid.
func (b *builder) takeFactor(a *attention, o *gridded) {
	n := o.x.Producer()
	if n == nil || len(o.x.Uses()) != 1 || b.m.Graph.IsOutput(o.x) || !b.alive[n] || b.done[n] {
		return
	}
	x := b.factor(n, o.x)
	if f, _ := math.Frexp(float64(x)); x == 0 || o.grid != nil && f != 0.5 {
		return
	}
	if o.grid != nil {
		o.grid.step /= x
	}
	a.alpha *= x
	a.nodes = append(a.nodes, n)
	if o.x = n.In[0]; b.cst(o.x) != nil {
		o.x = n.In[1]
	}
}
