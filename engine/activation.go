package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
)

// activation is a function of one value, written as one node or several.
type activation struct {
	op    kernel.Unary
	of, v *ir.Value  // its operand and its result
	nodes []*ir.Node // that compute it
}

// activations are forms of functions that come behind convolutions, by the
// operator of a node that reads the operand.
var activations = map[string]func(b *builder, n *ir.Node) (activation, bool){
	"Sigmoid":     siluForm,
	"HardSigmoid": hardSwishOf,
	"HardSwish":   oneNode(kernel.HardSwish),
	"Tanh":        oneNode(kernel.Tanh),
	"Add":         hardSwishWritten,
}

// activationAt is the activation that begins with n.
func (b *builder) activationAt(n *ir.Node) (activation, bool) {
	form := activations[n.Op]
	if form == nil || ir.CanonicalDomain(n.Domain) != "" || b.m.Function(n) != nil || b.powers[n] != nil || len(n.Out) != 1 || !b.real(n.In[0], n.Out[0]) {
		return activation{}, false
	}
	return form(b, n)
}

// activationBehind is the activation that alone reads v. One whose result becomes
// codes is left to the step that makes them.
func (b *builder) activationBehind(v *ir.Value) (a activation, ok bool) {
	if b.m.Graph.IsOutput(v) {
		return a, false
	}
	for _, u := range v.Uses() {
		if b.done[u.Node] || !b.alive[u.Node] || u.In < 0 {
			return a, false
		}
		if !ok {
			a, ok = b.activationAt(u.Node)
		}
	}
	if !ok || a.of != v || slices.ContainsFunc(v.Uses(), func(u ir.Use) bool { return !slices.Contains(a.nodes, u.Node) }) {
		return a, false
	}
	if n := b.only(a.v); n != nil {
		if _, encoded := b.encoderOf(n); encoded {
			return a, false
		}
	}
	return a, true
}

func oneNode(op kernel.Unary) func(b *builder, n *ir.Node) (activation, bool) {
	return func(b *builder, n *ir.Node) (activation, bool) {
		return activation{op, n.In[0], n.Out[0], []*ir.Node{n}}, true
	}
}

// siluForm is x·Sigmoid(x), or Sigmoid alone.
func siluForm(b *builder, n *ir.Node) (activation, bool) {
	x := n.In[0]
	if mul := b.only(n.Out[0]); is(mul, "Mul") && other(mul, n.Out[0]) == x {
		return activation{kernel.SiLU, x, mul.Out[0], []*ir.Node{n, mul}}, true
	}
	return oneNode(kernel.Sigmoid)(b, n)
}

// hardSwishOf is x·HardSigmoid(x) with slope 1/6.
func hardSwishOf(b *builder, n *ir.Node) (activation, bool) {
	x := n.In[0]
	mul := b.only(n.Out[0])
	if !is(mul, "Mul") || other(mul, n.Out[0]) != x || !sixth(n.Float("alpha", 0.2)) || n.Float("beta", 0.5) != 0.5 {
		return activation{}, false
	}
	return activation{kernel.HardSwish, x, mul.Out[0], []*ir.Node{n, mul}}, true
}

// hardSwishWritten is x·clip(x + 3, 0, 6)/6.
func hardSwishWritten(b *builder, n *ir.Node) (activation, bool) {
	h, ok := b.hardWritten(n)
	return activation{kernel.HardSwish, h.of, h.v, h.nodes}, ok && h.byX
}
