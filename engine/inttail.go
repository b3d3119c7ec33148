package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
)

// intTail is what the epilogue of an integer step does behind its sum: bring it
// onto a grid between, add codes computed earlier, clamp, and bring the result
// onto a grid.
type intTail struct {
	v            *ir.Value  // the real result in the end, before its encoder
	nodes        []*ir.Node // to be absorbed
	mid          *encoder   // nil: no grid between
	midLo, midHi float32
	res          *coded   // nil: nothing to add
	lo, hi       float32  // infinite: no clamp
	out          *encoder // nil: the result stays real
}

// intTail follows the only readers of v. It absorbs nothing yet.
func (b *builder) intTail(v *ir.Value, last bool) intTail {
	t := intTail{v: v, lo: -inf, hi: inf}
	b.addCodesBehind(&t, v, last)
	b.clampBehind(&t)
	if t.res != nil || t.out == nil || t.out.steps != nil || len(t.out.reals) != 1 {
		return t
	}
	// A sum behind the grid is worth it where it ends on a grid, too.
	sum := intTail{v: t.v, nodes: append(slices.Clone(t.nodes), t.out.nodes...), mid: t.out, midLo: t.lo, midHi: t.hi, lo: -inf, hi: inf}
	b.addCodesBehind(&sum, t.out.reals[0], last)
	if b.clampBehind(&sum); sum.res == nil || sum.out == nil {
		return t
	}
	return sum
}

// clampTail is a tail that adds nothing.
func (b *builder) clampTail(v *ir.Value) intTail {
	t := intTail{v: v, lo: -inf, hi: inf}
	b.clampBehind(&t)
	return t
}

// addCodesBehind follows an Add of codes that are there.
func (b *builder) addCodesBehind(t *intTail, v *ir.Value, last bool) {
	n := b.only(v)
	if !is(n, "Add") {
		return
	}
	r := other(n, v)
	if r == nil || !b.real(r, n.Out[0]) || !slices.Equal(b.val(r).shape, b.val(v).shape) {
		return
	}
	if c := b.val(r).coded; c != nil && (last && b.lastCodes(r, c) || !last && b.flat(r, c)) {
		t.res, t.v, t.nodes = c, n.Out[0], append(t.nodes, n)
	}
}

// clampBehind follows clamps up to an encoder.
func (b *builder) clampBehind(t *intTail) {
	for {
		n := b.only(t.v)
		if n == nil {
			return
		}
		if e, ok := b.encoderOf(n); ok && n.In[0] == t.v {
			t.out = e
			return
		}
		lo, hi, ok := b.limits(n)
		if !ok {
			return
		}
		t.lo, t.hi = min(max(t.lo, lo), hi), max(min(t.hi, hi), lo)
		t.v, t.nodes = n.Out[0], append(t.nodes, n)
	}
}

// unit is what products are divided by: the unit of the grid that they come to
// first.
func (t *intTail) unit() float64 {
	unit := 1.0
	switch {
	case t.mid != nil:
		unit, _ = t.mid.unit()
	case t.out != nil:
		unit, _ = t.out.unit()
	}
	return unit
}

// epilogue turns sums, each worth scale[o], with shift[o] added, into codes or
// floats.
func (t *intTail) epilogue(scale, shift []float64) kernel.IntEpilogue {
	unit, origin := 1.0, 0.0
	e := kernel.IntEpilogue{Lo: t.lo, Hi: t.hi, Mul: make([]float32, len(scale)), Add: make([]float32, len(scale))}
	if t.out != nil {
		unit, origin = t.out.unit()
		e.Zero, e.Steps = uint8(t.out.zero), t.out.steps
		e.Lo, e.Hi = t.out.bounds(t.lo, t.hi)
	}
	offset := 0.0
	if t.res != nil {
		e.ResMul = float32(float64(t.res.step) / unit)
		offset = -float64(t.res.zero) * float64(t.res.step)
	}
	if t.mid != nil {
		lo, hi := t.mid.bounds(t.midLo, t.midHi)
		e.Mid = &kernel.Mid{Lo: lo, Hi: hi, Mul: float32(float64(t.mid.step) / unit), Shift: float32(offset/unit + origin)}
		unit, offset, origin = float64(t.mid.step), 0, 0
	}
	for i := range scale {
		e.Mul[i] = float32(scale[i] / unit)
		e.Add[i] = float32((shift[i]+offset)/unit + origin)
	}
	return e
}
