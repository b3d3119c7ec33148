package prune

import (
	"fmt"
	"math"

	"pare/cost"
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
	if b.MACs != 1 {
		if open := cost.Open(s.m); open > 0 {
			err := fmt.Errorf("the multiply-accumulates are not known, as the sizes of %d layers are left open", open)
			return fault.Hint(err, "ask for params= or rate= instead")
		}
	}
	if !b.Given() || b.met(s) && (b.MACs == 1 || s.total.macs != 0) {
		return nil
	}
	out := &Unreachable{Amount: b.Amount}
	switch {
	case b.MACs != 1 && s.total.macs == 0:
		out.Reason, out.Least = "no layer is known to multiply", 1
		return fault.Hint(out, "ask for params= or rate= instead")
	case len(s.blocks) == 0:
		out.Reason, out.Least = "no channels of this network can be removed", 1
		return fault.Hint(out, "pare inspect says what pins them")
	case b.Rate != 0:
		out.Reason = fmt.Sprintf("at most %.4g of the removable channels may go", share(int64(s.gone), int64(s.units)))
	case b.MACs != 1:
		out.Least = share(s.now.macs, s.total.macs)
		out.Reason = fmt.Sprintf("at least %.4g of the multiply-accumulates stay", out.Least)
	default:
		out.Least = share(s.now.params, s.total.params)
		out.Reason = fmt.Sprintf("at least %.4g of the parameters stay", out.Least)
	}
	return fault.Hint(out, "keep= and keepshare= say how many channels every group keeps; ask for less, or lower them")
}

func share(n, of int64) float64 { return float64(n) / float64(max(1, of)) }
