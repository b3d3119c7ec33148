package optim

// rule is one optimiser: a row of the table.
type rule struct {
	name    string
	moments int // kept of every weight, at most two
	// constants are those of a step, of which State.Steps counts this one, too.
	constants func(o Options, s *State, rate, decay float64) constants
	// update changes weights p by their gradients g and moments m and v, all of one
	// length; moments that the rule does not keep are nil.
	update func(p, g, m, v []float32, c constants)
}

// constants are the numbers of one step that all weights of a group share.
type constants struct {
	rate     float32 // factor of what is subtracted, corrections of bias included
	decay    float32 // added to the gradient, times the weight
	shrink   float32 // factor of the weight itself before the step
	beta1    float32 // share of the old first moment
	new1     float32 // share of the gradient in the first moment
	beta2    float32 // likewise of the second
	new2     float32
	direct   float32 // factor of the gradient where it is used beside the moment
	unbias   float32 // factor of the root of the second moment
	epsilon  float32
	nesterov bool
}

var rules = []rule{
	{"sgd", 1, sgdConstants, sgd},
	{"adam", 2, adamConstants, adam},
	{"adamw", 2, adamwConstants, adam},
	{"adamax", 2, adamaxConstants, adamax},
	{"nadam", 2, nadamConstants, adam},
}
