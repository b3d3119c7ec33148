package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
)

// activation is a function that a product applies to its results while they are in
// the cache.
type activation struct {
	f  kernel.Unary
	on bool
}

// activationBehind absorbs a function of v that all readers of v belong to, and
// returns what comes out, or v.
func (b *builder) activationBehind(v *ir.Value) (activation, *ir.Value) {
	if b.m.Graph.IsOutput(v) || b.m.Opset("") < 13 || !b.real(v) {
		return activation{}, v
	}
	for _, u := range v.Uses() {
		if u.In < 0 || b.done[u.Node] || !b.alive[u.Node] || b.m.Function(u.Node) != nil || !b.static(u.Node) {
			return activation{}, v
		}
	}
	for _, u := range v.Uses() {
		x, y, nodes := b.geluOf(u.Node)
		if y != nil && x == v && !slices.ContainsFunc(v.Uses(), func(u ir.Use) bool { return !slices.Contains(nodes, u.Node) }) {
			b.absorb(nodes...)
			return activation{kernel.GELU, true}, y
		}
	}
	return activation{}, v
}

// name is what a step of the kernel is called.
func (a activation) name(kernel string) string {
	if a.on {
		return kernel + " " + a.f.String()
	}
	return kernel
}

// run applies the function to rows r0 ≤ r < r1, pitch apart, from column c0 to c1.
func (a activation) run(y []float32, pitch, r0, r1, c0, c1 int) {
	for r := r0; r < r1 && a.on; r++ {
		d := y[r*pitch+c0 : r*pitch+c1]
		a.f.Run(d, d)
	}
}
