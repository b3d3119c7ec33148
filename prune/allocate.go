package prune

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// allocate decides how many units every block loses: what costs nothing first,
// then as the scope says until the budget is met. It reports a budget that cannot
// be met. The result is as close to the budget as single units allow.
func (s *structure) allocate(want *budget, spread func(s *structure, want *budget), align int) error {
	if !want.Given() {
		for _, b := range s.blocks {
			s.set(b, min(b.free, b.most()))
		}
		return nil
	}
	for _, b := range s.blocks {
		s.set(b, b.most())
	}
	if err := want.reachable(s); err != nil {
		return err
	}
	for _, b := range s.blocks {
		s.set(b, 0)
	}
	spread(s, want)
	if !want.met(s) {
		return fmt.Errorf("internal error: %v was not reached", &want.Amount)
	}
	for s.giveBack(want, 1) {
	}
	if align > 1 {
		s.round(want, align)
	}
	return nil
}

// round keeps multiples of align of large blocks: fewer units where there is a
// budget of costs, whose room then goes to whole multiples, the dearest first; more
// of them where units are counted.
func (s *structure) round(want *budget, align int) {
	for _, b := range s.blocks {
		over := (b.size() - b.removed) % align
		switch {
		case b.size() < 4*align || over == 0:
		case want.Rate != 0:
			s.set(b, max(b.removed-align+over, 0))
		default:
			s.set(b, min(b.removed+over, b.most()))
		}
	}
	for want.Rate == 0 && s.giveBack(want, align) {
	}
}

// evenly takes the same share of every block: as small a share as the budget
// allows.
func evenly(s *structure, want *budget) {
	if want.Rate != 0 {
		s.level(want.Rate)
		s.topUp(want)
		return
	}
	lo, hi := 0.0, 1.0
	for range 50 { // beyond what floats tell apart of any number of units
		mid := (lo + hi) / 2
		if s.level(mid); want.met(s) {
			hi = mid
		} else {
			lo = mid
		}
	}
	s.level(hi)
}

// level takes the share p of every block, rounded down, as far as may go.
func (s *structure) level(p float64) {
	for _, b := range s.blocks {
		s.set(b, min(int(p*float64(b.size())+1e-9), b.most()))
	}
}

// topUp removes more units, one from every block in turn from the largest on,
// until the budget is met.
func (s *structure) topUp(want *budget) {
	for !want.met(s) {
		for _, b := range s.bySize() {
			if b.removed < b.most() && !want.met(s) {
				s.set(b, b.removed+1)
			}
		}
	}
}

// giveBack puts n units of every block back that the budget has room for, the
// dearest first, and reports whether there were any.
func (s *structure) giveBack(want *budget, n int) (any bool) {
	for _, b := range s.bySaving(want) {
		if b.removed < b.free+n {
			continue
		}
		if s.set(b, b.removed-n); want.met(s) {
			any = true
		} else {
			s.set(b, b.removed+n)
		}
	}
	return any
}

// bySaving are the blocks, those whose units save most in front.
func (s *structure) bySaving(want *budget) []*block {
	out := slices.Clone(s.blocks)
	sizes := map[*block]float64{}
	for _, b := range out {
		if b.removed > 0 {
			before := want.saving(s.now)
			s.set(b, b.removed-1)
			sizes[b] = want.saving(s.now) - before
			s.set(b, b.removed+1)
		}
	}
	slices.SortStableFunc(out, func(a, b *block) int { return cmp.Compare(sizes[b], sizes[a]) })
	return out
}

func (s *structure) bySize() []*block {
	out := slices.Clone(s.blocks)
	slices.SortStableFunc(out, func(a, b *block) int { return b.size() - a.size() })
	return out
}

// globally removes the units of lowest score anywhere, scores being relative to
// the root mean square of their block.
func globally(s *structure, want *budget) {
	type candidate struct {
		b     *block
		score float64
	}
	var all []candidate
	for _, b := range s.blocks {
		norm := 0.0
		for _, x := range b.scores {
			norm += x * x / float64(b.size())
		}
		for i, k := range b.order {
			c := candidate{b, b.scores[k] / max(math.Sqrt(norm), math.SmallestNonzeroFloat32)}
			if i < b.free {
				c.score = math.Inf(-1)
			}
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(x, y candidate) int { return cmp.Compare(x.score, y.score) })
	for _, c := range all {
		if want.met(s) {
			return
		}
		if c.b.removed < c.b.most() {
			s.set(c.b, c.b.removed+1)
		}
	}
}
