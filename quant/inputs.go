package quant

import (
	"pare/format"
	"pare/ir"
)

// expand writes the pair that quantises v and, where data have further orders,
// pairs that quantise what those before leave (REx, section on inputs), each on
// a grid over the last step. It returns the sum, which is what layers read: the
// products of all orders of data and weights. What the first grid clips stays
// clipped.
func (p *placement) expand(patch *ir.Patch, v *ir.Value, w *format.Wire) *ir.Value {
	sum, a := w.Emit(patch, v), w.Activation
	typed := func(out *ir.Value) *ir.Value {
		out.Type = sum.Type
		return out
	}
	for range p.orders - 1 {
		rest := typed(patch.Node(v.Name+"_rest", "Sub", []*ir.Value{v, sum}))
		half := float64(a.Scale) / 2
		a = format.NewActivation(-half, half, a.Bits)
		term := format.NewWire(patch, rest.Name, a).Emit(patch, rest)
		sum = typed(patch.Node(v.Name+"_sum", "Add", []*ir.Value{sum, term}))
	}
	return sum
}
