package group

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"pare/ir"
)

// Gone, in place of a unit, says that a unit is removed.
const Gone = -1

// Change says what becomes of the units of an analysis for Removing. Its lists
// have an entry per unit; where they are nil, nothing of their kind happens.
type Change struct {
	// Into is the unit itself where it stays, another unit of the same group that
	// stays where it is merged into that one, Gone where it is removed.
	Into []int
	// Factor says how often a merged unit counts as the one it is merged into:
	// its numbers are Factor times those. It must be positive and finite.
	Factor []float64
	// Average makes rows and parameters the mean over all that are merged; else
	// those of the unit that stays are kept.
	Average bool
	// Compensate adds to biases what removed units contribute on average.
	Compensate bool
	// Stats tells the statistics of a value for Compensate; those kept with the
	// value when nil. Where nothing is known, nothing is added.
	Stats func(v *ir.Value) *ir.Stats
	// Times says how often a unit that stays occurs afterwards: 1, or more for
	// equal copies that lie side by side and share its columns evenly.
	Times []int
	// Order are ranks: units of a group that stay come to lie in ascending order
	// of them, units of equal rank as before.
	Order []int
}

// Keep is the change that leaves everything as it is.
func (a *Analysis) Keep() *Change {
	return &Change{Into: count(len(a.Pinned))}
}

// GroupOf is the group of a unit, nil for units that no node computes, changes or
// reads.
func (a *Analysis) GroupOf(unit int) *Group {
	if unit < 0 || unit >= len(a.groupOf) || a.groupOf[unit] < 0 {
		return nil
	}
	return a.Groups[a.groupOf[unit]]
}

// check reports the first thing that c may not do.
func (a *Analysis) check(c *Change) error {
	n := len(a.Pinned)
	if a.Purpose != Removing || len(c.Into) != n || c.Factor != nil && len(c.Factor) != n || c.Order != nil && len(c.Order) != n || c.Times != nil && len(c.Times) != n {
		return fmt.Errorf("a change of %d units for an analysis of %d, which must be for removing", len(c.Into), n)
	}
	for u, to := range c.Into {
		if to != u || c.times(u) != 1 {
			if err := a.checkUnit(c, u, to); err != nil {
				return err
			}
		}
	}
	for _, g := range a.Groups {
		if !slices.ContainsFunc(g.Units, func(u int) bool { return c.Into[u] == u }) {
			return fmt.Errorf("no channel of %q would be left", g.ID)
		}
	}
	return nil
}

func (a *Analysis) checkUnit(c *Change, u, to int) error {
	g := a.GroupOf(u)
	switch {
	case a.Pinned[u] != "":
		return fmt.Errorf("a channel of %q must stay: %s", a.idOf(u), a.Pinned[u])
	case g == nil:
		return fmt.Errorf("unit %d belongs to no group", u)
	case to == Gone:
		return nil
	case to == u && (c.times(u) < 1 || c.Order != nil):
		return fmt.Errorf("a channel of %q cannot occur %d times, or be ordered then", g.ID, c.times(u))
	case a.GroupOf(to) != g:
		return fmt.Errorf("a channel of %q cannot be merged into one of %q", g.ID, a.idOf(to))
	case c.Into[to] != to:
		return fmt.Errorf("a channel of %q is merged into one that does not stay", g.ID)
	}
	if f := c.factor(u); !(f > 0) || math.IsInf(f, 0) {
		return fmt.Errorf("a channel of %q cannot count %v times", g.ID, f)
	}
	return nil
}

func (a *Analysis) idOf(unit int) string {
	if g := a.GroupOf(unit); g != nil {
		return g.ID
	}
	return fmt.Sprintf("unit %d", unit)
}

func (c *Change) factor(u int) float64 {
	if c.Factor == nil {
		return 1
	}
	return c.Factor[u]
}

func (c *Change) times(u int) int {
	if c.Times == nil {
		return 1
	}
	return c.Times[u]
}

// taken says, by unit that stays, which unit takes its place in the order of its
// group.
func (a *Analysis) taken(c *Change) ([]int, error) {
	takes := count(len(a.Pinned))
	for _, g := range a.Groups {
		if c.Order == nil {
			break
		}
		kept := slices.DeleteFunc(slices.Clone(g.Units), func(u int) bool { return c.Into[u] != u })
		sorted := slices.Clone(kept)
		slices.SortStableFunc(sorted, func(x, y int) int { return cmp.Compare(c.Order[x], c.Order[y]) })
		for i, u := range kept {
			takes[u] = sorted[i]
		}
		if g.Pinned() && !slices.Equal(kept, sorted) {
			return nil, fmt.Errorf("the channels of %q must stay where they are: %s", g.ID, g.Reason)
		}
	}
	return takes, nil
}
