package engine

import (
	"math"

	"pare/ir"
	"pare/kernel"
)

// pattern is a form in which exporters write out one function as several
// nodes. It is tried at nodes of the operator first, before the operator's row.
type pattern struct {
	first string
	lower func(b *builder, n *ir.Node) bool
}

var patterns = []pattern{
	{"ReduceMean", layerNormForm},
	{"Div", geluForm},
	{"Mul", geluForm},
	{"Pow", rmsNormForm},
	{"Mul", rmsNormForm},
	{"Mul", powerGridForm},
	{"Add", hardSwishForm},
	{"Gather", splitForm},
	{"Conv", splitForm},
}

// forms tries the patterns that begin with n.
func (b *builder) forms(n *ir.Node) bool {
	if ir.CanonicalDomain(n.Domain) != "" || len(n.In) == 0 || !b.real(n.In[0], n.Out[0]) || b.m.Opset("") < 13 {
		return false
	}
	for _, p := range patterns {
		if p.first == n.Op && p.lower(b, n) {
			return true
		}
	}
	return false
}

// then returns the only reader of v where it is the operator, and its operand
// that is not v.
func (b *builder) then(v *ir.Value, name string) (n *ir.Node, o *ir.Value) {
	n = b.only(v)
	if !is(n, name) || !b.real(n.Out[0]) {
		return nil, nil
	}
	return n, other(n, v)
}

// number is the value of v where it is a constant number near want.
func (b *builder) number(v *ir.Value, want float64) bool {
	if v == nil {
		return false
	}
	x, ok := b.scalar(v)
	return ok && math.Abs(float64(x)-want) <= 1e-3*math.Abs(want)
}

// layerNormForm is (x - mean)/√(mean((x - mean)²) + ε)·γ + β along the last axis.
func layerNormForm(b *builder, n *ir.Node) bool {
	x, mean := n.In[0], n.Out[0]
	if !b.lastMean(n) {
		return false
	}
	sub, minuend := b.then(mean, "Sub")
	if sub == nil || minuend != x || sub.In[0] != x {
		return false
	}
	d := sub.Out[0]
	square, div := b.squareAndDiv(d)
	if square == nil {
		return false
	}
	mean2 := b.only(square.Out[0])
	if !is(mean2, "ReduceMean") || !b.lastMean(mean2) {
		return false
	}
	add, e := b.then(mean2.Out[0], "Add")
	if add == nil {
		return false
	}
	eps, ok := b.scalar(e)
	root := b.only(add.Out[0])
	if !ok || !is(root, "Sqrt") || b.only(root.Out[0]) != div || div.In[0] != d || div.In[1] != root.Out[0] {
		return false
	}
	b.absorb(sub, square, div, mean2, add, root)
	v := div.Out[0]
	shape := b.val(x).shape
	cols := shape[len(shape)-1]
	gamma := b.rowParam(&v, "Mul", cols)
	beta := b.rowParam(&v, "Add", cols)
	b.layerNorm(n, x, v, cols, eps, gamma, beta)
	return true
}

// lastMean reports whether a ReduceMean is along the last axis, which it keeps.
func (b *builder) lastMean(n *ir.Node) bool {
	axes := n.Ints("axes")
	if b.m.Opset("") >= 18 {
		axes = nil
		if len(n.In) > 1 && n.In[1] != nil {
			axes, _ = b.ints(n.In[1])
		}
	}
	rank := len(b.val(n.In[0]).shape)
	return n.Int("keepdims", 1) != 0 && len(axes) == 1 && rank > 0 && (axes[0] == -1 || axes[0] == rank-1) && b.real(n.In[0], n.Out[0])
}

// squareAndDiv returns the two readers of d: one that squares it and a Div.
func (b *builder) squareAndDiv(d *ir.Value) (square, div *ir.Node) {
	if b.m.Graph.IsOutput(d) {
		return nil, nil
	}
	for _, u := range d.Uses() {
		switch n := u.Node; {
		case b.done[n] || !b.alive[n]:
			return nil, nil
		case is(n, "Pow") && n.In[0] == d && b.number(n.In[1], 2), is(n, "Mul") && n.In[0] == d && n.In[1] == d:
			if square != nil && square != n {
				return nil, nil
			}
			square = n
		case is(n, "Div") && div == nil:
			div = n
		default:
			return nil, nil
		}
	}
	if div == nil {
		return nil, nil
	}
	return square, div
}

// geluForm is x·(1 + erf(x/√2))/2 with the factors in any order.
func geluForm(b *builder, n *ir.Node) bool {
	x, v, nodes := b.geluOf(n)
	if v == nil {
		return false
	}
	b.absorb(nodes...)
	b.unary(n, "gelu", x, v, kernel.GELU.Run)
	return true
}

// geluOf matches the form that begins with n: its operand and result, nil for none,
// and all nodes.
func (b *builder) geluOf(n *ir.Node) (x, v *ir.Value, nodes []*ir.Node) {
	if len(n.In) != 2 || !is(n, "Div") && !is(n, "Mul") {
		return nil, nil, nil
	}
	x, o := n.In[0], n.In[1]
	if is(n, "Mul") && b.cst(x) != nil {
		x, o = o, x
	}
	if is(n, "Div") && !b.number(o, math.Sqrt2) || is(n, "Mul") && !b.number(o, math.Sqrt2/2) {
		return nil, nil, nil
	}
	erf := b.only(n.Out[0])
	if !is(erf, "Erf") {
		return nil, nil, nil
	}
	add, one := b.then(erf.Out[0], "Add")
	if add == nil || !b.number(one, 1) {
		return nil, nil, nil
	}
	v, nodes = b.halved(add.Out[0], x)
	return x, v, append(nodes, n, erf, add)
}

// halved follows products of v with x and with ½, in any order, and returns the
// result and the nodes; nil where there are others.
func (b *builder) halved(v, x *ir.Value) (*ir.Value, []*ir.Node) {
	var nodes []*ir.Node
	for byX, byHalf := false, false; !byX || !byHalf; {
		mul, f := b.then(v, "Mul")
		if mul == nil || f == nil {
			return nil, nil
		}
		switch half := b.halfOf(f, x); {
		case !byX && f == x:
			byX = true
		case !byHalf && b.number(f, 0.5):
			byHalf = true
		case !byX && !byHalf && half != nil:
			byX, byHalf = true, true
			nodes = append(nodes, half...)
		default:
			return nil, nil
		}
		nodes = append(nodes, mul)
		v = mul.Out[0]
	}
	return v, nodes
}

// halfOf returns the nodes to absorb where v is x/2: the product, or none where
// it is needed elsewhere, too.
func (b *builder) halfOf(v, x *ir.Value) []*ir.Node {
	n := v.Producer()
	if !is(n, "Mul") || other(n, x) == nil || !b.number(other(n, x), 0.5) {
		return nil
	}
	if b.done[n] || b.only(v) == nil {
		return []*ir.Node{}
	}
	return []*ir.Node{n}
}

// hardForm is x·clip(x + 3, 0, 6)/6, or without the factor x a HardSigmoid.
type hardForm struct {
	of, v *ir.Value
	byX   bool
	nodes []*ir.Node
}

// hardWritten follows the form that begins with the sum n.
func (b *builder) hardWritten(n *ir.Node) (h hardForm, ok bool) {
	x, o := n.In[0], n.In[1]
	if b.cst(x) != nil {
		x, o = o, x
	}
	clip := b.only(n.Out[0])
	if !b.number(o, 3) || clip == nil {
		return h, false
	}
	if lo, hi, ok := b.limits(clip); !ok || lo != 0 || hi != 6 {
		return h, false
	}
	h = hardForm{of: x, v: clip.Out[0], nodes: []*ir.Node{n, clip}}
	for bySixth := false; ; {
		m := b.only(h.v)
		var f *ir.Value
		if m != nil {
			f = other(m, h.v)
		}
		switch {
		case !h.byX && is(m, "Mul") && f == x && b.real(m.Out[0]):
			h.byX = true
		case !bySixth && is(m, "Mul") && b.number(f, 1.0/6), !bySixth && is(m, "Div") && m.In[0] == h.v && b.number(f, 6):
			bySixth = true
		default:
			return h, bySixth
		}
		h.nodes = append(h.nodes, m)
		h.v = m.Out[0]
	}
}

func hardSwishForm(b *builder, n *ir.Node) bool {
	h, ok := b.hardWritten(n)
	if !ok {
		return false
	}
	b.absorb(h.nodes...)
	if h.byX {
		b.unary(n, "hardswish", h.of, h.v, kernel.HardSwish.Run)
	} else {
		b.unary(n, "hardsigmoid", h.of, h.v, func(dst, src []float32) { kernel.HardSigmoid(dst, src, 1.0/6, 0.5) })
	}
	return true
}
