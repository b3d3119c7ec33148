package prune

import (
	"errors"
	"fmt"

	"pare/compress"
)

// Amount says how much a pruning method removes, in the same words for all of
// them. At most one is given; without any, what goes is what costs nothing.
type Amount struct {
	Rate   float64 `json:"rate" doc:"share of the channels to remove, 0 to 1, of those that can be removed; never more. 0 for as many as cost nothing"`
	MACs   float64 `json:"macs" doc:"share of the multiply-accumulates to keep, above 0; never more. 1 asks for nothing"`
	Params float64 `json:"params" doc:"share of the parameters to keep, above 0; never more. 1 asks for nothing"`
}

// Free is the amount that asks for nothing: the default of every method.
var Free = Amount{MACs: 1, Params: 1}

// Given reports whether an amount is asked for.
func (a *Amount) Given() bool { return *a != Free }

// check reports the first problem with the amount.
func (a *Amount) check() error {
	given := 0
	for _, asked := range []bool{a.Rate != 0, a.MACs != 1, a.Params != 1} {
		if asked {
			given++
		}
	}
	switch {
	case !(a.Rate >= 0 && a.Rate < 1):
		return fmt.Errorf("rate=%v is not in 0 to 1, without 1: a network cannot be pruned to nothing", a.Rate)
	case !(a.MACs > 0 && a.MACs <= 1):
		return fmt.Errorf("macs=%v, the share to keep, is not above 0 and up to 1", a.MACs)
	case !(a.Params > 0 && a.Params <= 1):
		return fmt.Errorf("params=%v, the share to keep, is not above 0 and up to 1", a.Params)
	case given > 1:
		return errors.New("give one amount: rate, macs or params")
	}
	return nil
}

// String is the amount as recipes spell it, "what is free" when none is given.
func (a *Amount) String() string {
	switch {
	case a.Rate != 0:
		return fmt.Sprintf("rate=%v", a.Rate)
	case a.MACs != 1:
		return fmt.Sprintf("macs=%v", a.MACs)
	case a.Params != 1:
		return fmt.Sprintf("params=%v", a.Params)
	}
	return "what is free"
}

// Pruner is a method with an amount.
type Pruner interface {
	compress.Method
	// Asked is the amount, which may be changed before the method runs.
	Asked() *Amount
}

// Asked implements Pruner for methods that embed an Amount.
func (a *Amount) Asked() *Amount { return a }

// Unreachable is the error of an amount that a network cannot be pruned by.
type Unreachable struct {
	Amount Amount
	Reason string
	Least  float64 // share of what the amount is about that stays
}

// Error says what can be reached instead.
func (e *Unreachable) Error() string {
	return fmt.Sprintf("%v cannot be reached: %s", &e.Amount, e.Reason)
}
