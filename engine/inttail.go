package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
)

// intTail is what the epilogue of an integer step does behind its sum: add codes
// computed earlier, clamp, and bring the result onto a grid.
type intTail struct {
	v      *ir.Value  // the real result in the end, before its encoder
	nodes  []*ir.Node // to be absorbed
	res    *coded     // nil: nothing to add
	lo, hi float32    // infinite: no clamp
	out    *encoder   // nil: the result stays real
}

// intTail follows the only readers of v. It absorbs nothing yet.
func (b *builder) intTail(v *ir.Value, last bool) intTail {
	t := intTail{v: v, lo: -inf, hi: inf}
	if n := b.only(v); is(n, "Add") {
		if r := other(n, v); r != nil && b.real(r, n.Out[0]) && slices.Equal(b.val(r).shape, b.val(v).shape) {
			if c := b.val(r).coded; c != nil && (last && b.lastCodes(r, c) || !last && b.flat(r, c)) {
				t.res, t.v, t.nodes = c, n.Out[0], append(t.nodes, n)
			}
		}
	}
	for {
		n := b.only(t.v)
		if n == nil {
			return t
		}
		if e, ok := b.encoderOf(n); ok && n.In[0] == t.v {
			t.out = e
			return t
		}
		lo, hi, ok := b.limits(n)
		if !ok {
			return t
		}
		t.lo, t.hi = min(max(t.lo, lo), hi), max(min(t.hi, hi), lo)
		t.v, t.nodes = n.Out[0], append(t.nodes, n)
	}
}

// epilogue turns sums, each worth scale[o], with shift[o] added, into codes or
// floats.
func (t *intTail) epilogue(scale, shift []float64) kernel.IntEpilogue {
	unit := 1.0
	e := kernel.IntEpilogue{Lo: t.lo, Hi: t.hi, Mul: make([]float32, len(scale)), Add: make([]float32, len(scale))}
	if t.out != nil {
		unit = float64(t.out.step)
		e.Zero = uint8(t.out.zero)
		e.Lo, e.Hi = t.out.bounds(t.lo, t.hi)
	}
	offset := 0.0
	if t.res != nil {
		e.ResMul = float32(float64(t.res.step) / unit)
		offset = -float64(t.res.zero) * float64(t.res.step)
	}
	for i := range scale {
		e.Mul[i] = float32(scale[i] / unit)
		e.Add[i] = float32((shift[i] + offset) / unit)
	}
	return e
}
