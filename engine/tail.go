package engine

import (
	"slices"

	"pare/ir"
)

// tail is what the epilogue of a product does: add what was computed earlier,
// clamp.
type tail struct {
	v      *ir.Value // the result in the end
	res    place     // nothing to add where it has no buffer
	lo, hi float32   // equal: no clamp
}

// tail absorbs an Add of a value that is already there, and a clamp, behind v.
func (b *builder) tail(v *ir.Value, last bool) tail {
	t := tail{v: v}
	if n := b.only(v); is(n, "Add") && b.m.Opset("") >= 7 {
		if r := other(n, v); r != nil && b.real(r, n.Out[0]) && b.has(r) && slices.Equal(b.val(r).shape, b.val(v).shape) {
			if last {
				t.res = b.last(r)
			} else {
				t.res = b.plain(r)
			}
			b.absorb(n)
			t.v = n.Out[0]
		}
	}
	if n := b.only(t.v); n != nil {
		if lo, hi, ok := b.limits(n); ok {
			b.absorb(n)
			t.v, t.lo, t.hi = n.Out[0], lo, hi
		}
	}
	return t
}
