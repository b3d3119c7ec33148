package optim

import "pare/kernel"

// rule is one optimiser: a row of the table.
type rule struct {
	name    string
	moments int // kept of every weight, at most two
	// step prepares a step, of which State.Steps counts this one, too, and returns what
	// changes weights p by their gradients g and moments m and v, all of one length;
	// moments that the rule does not keep are nil.
	step func(o Options, s *State, rate, decay float64) update
}

type update func(p, g, m, v []float32)

var rules = []rule{
	{"sgd", 1, sgd},
	{"adam", 2, adam},
	{"adamw", 2, adamw},
	{"adamax", 2, adamax},
	{"nadam", 2, nadam},
}

// sgd is descent with momentum [sutskever13], the momentum being a sum of gradients,
// not a mean: m <- momentum m + g.
func sgd(o Options, _ *State, rate, decay float64) update {
	k := kernel.Descent{Rate: float32(rate), Decay: float32(decay), Momentum: float32(o.Momentum), Nesterov: o.Nesterov}
	return func(p, g, m, _ []float32) { k.Run(p, g, m) }
}
