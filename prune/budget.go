package prune

import (
	"fmt"
	"math"

	"pare/internal/fault"
)

// budget is how far a network is to be pruned.
type budget struct {
	Amount
	macs, params int64 // at most so many are left
	units        int   // at most so many go
}

func newBudget(a Amount, s *structure) *budget {
	b := &budget{Amount: a, macs: math.MaxInt64, params: math.MaxInt64, units: s.units}
	switch {
	case a.Rate != 0:
		b.units = int(a.Rate*float64(s.units) + 1e-9)
	case a.MACs != 1:
		b.macs = int64(a.MACs * float64(s.total.macs))
	case a.Params != 1:
		b.params = int64(a.Params * float64(s.total.params))
	}
	return b
}

// met reports whether enough is removed.
func (b *budget) met(s *structure) bool {
	if b.Rate != 0 {
		return s.gone >= b.units
	}
	return s.now.macs <= b.macs && s.now.params <= b.params
}

// room reports whether n more units may go.
func (b *budget) room(s *structure, n int) bool { return b.Rate == 0 || s.gone+n <= b.units }

// saving is what counts of the cost for the budget.
func (b *budget) saving(c price) float64 {
	if b.Params != 1 {
		return float64(c.params)
	}
	return float64(c.macs)
}

// reachable reports an amount that cannot be removed: with all that may go gone, too
// much is left.
func (b *budget) reachable(s *structure) error {
	if !b.Given() || b.met(s) {
		return nil
	}
	var err error
	switch {
	case len(s.blocks) == 0:
		return fault.Hint(fmt.Errorf("%v cannot be reached: no channels of this network can be removed", &b.Amount), "pare inspect says what pins them")
	case b.Rate != 0:
		err = fmt.Errorf("%v cannot be reached: at most %.4g of the removable channels may go", &b.Amount, share(int64(s.gone), int64(s.units)))
	case b.MACs != 1:
		err = fmt.Errorf("%v cannot be reached: at least %.4g of the multiply-accumulates stay", &b.Amount, share(s.now.macs, s.total.macs))
	default:
		err = fmt.Errorf("%v cannot be reached: at least %.4g of the parameters stay", &b.Amount, share(s.now.params, s.total.params))
	}
	return fault.Hint(err, "keep= and keepshare= say how many channels every group keeps; ask for less, or lower them")
}

func share(n, of int64) float64 { return float64(n) / float64(max(1, of)) }
