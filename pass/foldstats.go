package pass

import (
	"math"

	"pare/ir"
)

// statistics keeps what is known of values: those of the region change with
// them, and the value that takes the place of the folded node's result gets that
// one's, or its operand keeps its own.
func (f *bnFolder) statistics(e *edit, r *region, c *candidate, x, y *ir.Value) {
	for s, carry := range r.carries {
		if s.use.Node == nil && s.v != x && s.v != y {
			e.p.SetStats(e.at(s.v), changedStats(f.statsOf(s.v), carry.axis, r.change(carry)))
		}
	}
	for n := range r.leaves {
		if f.standard(n, "BatchNormalization") && r.roots[n] == nil {
			e.p.SetStats(n.Out[0], f.statsOf(n.Out[0]))
		}
	}
	switch {
	case r.backward && c.norm != nil:
		e.p.SetStats(e.at(x), f.statsOf(y))
	case r.backward:
		e.p.SetStats(e.at(x), changedStats(f.statsOf(x), c.axis, r.change(r.carries[r.start])))
	case c.norm != nil && f.statsOf(x) == nil && !f.touched[c.node]:
		e.p.SetStats(x, c.norm.operandStats())
	}
}

// statsOf is what is known of v: recorded, or as the parameters of an
// untouched batch-norm say.
func (f *bnFolder) statsOf(v *ir.Value) *ir.Stats {
	n := v.Producer()
	if v.Stats != nil || n == nil || f.touched[n] || !f.standard(n, "BatchNormalization") {
		return v.Stats
	}
	b, _ := f.norm(n)
	if b == nil {
		return nil
	}
	return b.stats()
}

// operandStats are mean and deviation of what the batch-norm normalises.
func (b *norm) operandStats() *ir.Stats {
	return &ir.Stats{Axis: 1, Mean: b.mean, Std: b.std, Source: "batch-norm " + b.node.Label()}
}

// changedStats are the statistics of a value that changed by a along axis, nil
// where they do not follow from the old ones.
func changedStats(s *ir.Stats, axis int, a affine) *ir.Stats {
	if s == nil || s.Axis != axis || len(s.Mean) != len(a.scale) || len(s.Std) != len(a.scale) {
		return nil
	}
	out := &ir.Stats{Axis: s.Axis, Source: s.Source}
	ranged := len(s.Lo) == len(s.Mean) && len(s.Hi) == len(s.Mean)
	for k, scale := range a.scale {
		out.Mean = append(out.Mean, scale*s.Mean[k]+a.offset[k])
		out.Std = append(out.Std, math.Abs(scale)*s.Std[k])
		if ranged {
			lo, hi := scale*s.Lo[k]+a.offset[k], scale*s.Hi[k]+a.offset[k]
			out.Lo, out.Hi = append(out.Lo, min(lo, hi)), append(out.Hi, max(lo, hi))
		}
	}
	return out
}
