package engine

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// planHomes gives the operands of concatenations of channels their place in the
// result, so that what computes them writes there. Of several concatenations of
// the same values, as dense blocks have them, the last one counts; the earlier
// ones then are parts of its memory.
func (b *builder) planHomes() {
	for _, n := range slices.Backward(b.m.Graph.Nodes) {
		if !b.joinsChannels(n) {
			continue
		}
		y := b.val(n.Out[0])
		if slices.ContainsFunc(n.In, func(v *ir.Value) bool { _, ok := b.home[v]; return ok }) {
			continue
		}
		at := place{b: newBuf(tensor.Len(y.shape)), stride: y.shape[1]}
		b.owner[n] = at.b
		for _, v := range n.In {
			if _, ok := b.home[v]; !ok {
				b.home[v] = at
			}
			at.off += b.val(v).shape[1]
		}
	}
}

// joinsChannels reports whether n is a concatenation of channels of images that
// convolutions and poolings compute.
func (b *builder) joinsChannels(n *ir.Node) bool {
	if !is(n, "Concat") || !b.alive[n] || len(n.Out) != 1 || !b.static(n) || !b.real(n.In...) || !b.real(n.Out[0]) {
		return false
	}
	shape := b.val(n.Out[0]).shape
	if axis, ok := axisOf(n.Int("axis", 1), len(shape)); !ok || axis != 1 || len(shape) < 3 {
		return false
	}
	return slices.ContainsFunc(n.In, func(v *ir.Value) bool {
		p := v.Producer()
		return p != nil && windowed[p.Op]
	})
}

// windowed are the operators whose results may have gaps between pixels.
var windowed = map[string]bool{"Conv": true, "MaxPool": true, "AveragePool": true, "Relu": true, "Clip": true, "BatchNormalization": true, "Add": true, "DequantizeLinear": true}

// joined is where the operands of a concatenation lie, if side by side in one
// buffer.
func (b *builder) joined(n *ir.Node) (place, bool) {
	first := b.val(n.In[0]).last
	if first.b == nil || first.stride == 0 {
		return place{}, false
	}
	at := first
	for _, v := range n.In {
		if b.val(v).last != at {
			return place{}, false
		}
		at.off += b.val(v).shape[1]
	}
	return first, true
}
