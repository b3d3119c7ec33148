package grad

import "pare/ir"

// Options say what is differentiated by what.
type Options struct {
	Params  []*ir.Value // float constants of the model's graph to differentiate by
	Inputs  []*ir.Value // data inputs whose gradients are wanted
	Outputs []*ir.Value // values that Forward returns and Backward takes gradients of; nil for the graph's outputs
	// Train lets batch-norms normalise by the statistics of their batch and keep
	// running ones.
	Train   bool
	Threads int    // 0 means 1; results do not depend on it
	Memory  int64  // bytes of values kept for Backward; beyond that they are computed again; 0 means 1 GiB
	Seed    uint64 // of random operators, together with their node's name and the number of the step
}

// defaultMemory is what Options.Memory of 0 means.
const defaultMemory = 1 << 30

// Param is a constant that is learned. Data and Grad lie as the constant's
// elements do.
type Param struct {
	Value *ir.Value // the constant of the model that New was given
	Shape []int
	Data  []float32 // live: what is changed counts from the next Forward on
	Grad  []float32 // Backward adds to it
}
