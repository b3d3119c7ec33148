package compress

import "pare/cost"

// Report says what a recipe did. It is the "compress" document of the command
// line; bytes are those of constants as stored, times are seconds, errors are
// relative: root mean square of the difference over that of the original.
type Report struct {
	Recipe  string        `json:"recipe"`
	Seed    uint64        `json:"seed"`
	Seconds float64       `json:"seconds"`
	Peak    int64         `json:"peak_memory_bytes"`
	Before  cost.Totals   `json:"before"`
	After   cost.Totals   `json:"after"`
	Steps   []StepReport  `json:"steps"`
	Layers  []LayerReport `json:"layers"`
	// Resumed counts the results that an interrupted run had left.
	Resumed int `json:"resumed,omitempty"`
	// Warnings are things that the user should act on or know.
	Warnings []string `json:"warnings"`
}

// StepReport is one step of a recipe.
type StepReport struct {
	Step        string  `json:"step"`
	Kind        Kind    `json:"kind"`
	Seconds     float64 `json:"seconds"`
	BytesBefore int64   `json:"bytes_before"`
	BytesAfter  int64   `json:"bytes_after"`
	// Before and After are what the network costs; in recipes without steps that
	// prune or decompose, multiplications and additions are counted before the first
	// step and after the last one alone.
	Before cost.Totals `json:"before"`
	After  cost.Totals `json:"after"`
	// Output is what the steps up to this one did to the network's outputs, in
	// recipes with steps that prune or decompose, from the first of these on; nil
	// where it could not be measured, which a warning explains.
	Output *Output `json:"output,omitempty"`
	// Phases are parts of the step that methods tell apart and that changed something,
	// but for the last one, behind which After and Output hold.
	Phases []Phase `json:"phases,omitempty"`
	// Layers is the number of layers that the step changed, Skipped that of the
	// layers it left alone for a reason.
	Layers  int `json:"layers"`
	Skipped int `json:"skipped"`
	// Exponent is the exponent of a power grid shared by the network.
	Exponent float64 `json:"exponent,omitempty"`
	// Expansion is the cost of a residual expansion, relative to its first order
	// alone.
	Expansion *Expansion `json:"expansion,omitempty"`
	// Loss is what a step that chose widths by their loss expected and found.
	Loss *Loss `json:"loss,omitempty"`
	// Training says how a step that trains went, on samples held apart.
	Training *Training `json:"training,omitempty"`
	// Simplified counts removed nodes other than batch-norms.
	Simplified int `json:"simplified,omitempty"`
	// Folded counts removed batch-norms; Kept lists the others.
	Folded int    `json:"folded,omitempty"`
	Kept   []Kept `json:"kept,omitempty"`
	// Activations counts quantised tensors; Floats lists those left in float
	// that a quantised layer reads.
	Activations int    `json:"activations,omitempty"`
	Floats      []Kept `json:"floats,omitempty"`
}

// Phase is what the network costs behind a part of a step, and what became of its
// outputs.
type Phase struct {
	What   string      `json:"what"` // such as "hash"
	After  cost.Totals `json:"after"`
	Output *Output     `json:"output,omitempty"`
}

// Output compares the outputs of a network with those before the recipe.
type Output struct {
	// SNR is the signal-to-noise ratio in dB of the worst output, at most 200.
	SNR     float64 `json:"snr_db"`
	Samples int     `json:"samples"`
	// Basis says what the samples are: "calibration data", "synthetic inputs" or
	// "random inputs".
	Basis string `json:"basis"`
}

// Expansion says what the terms of a residual expansion cost together, the first
// alone being 1.
type Expansion struct {
	BitOperations float64 `json:"bit_operations"`
	Bytes         float64 `json:"bytes"`
}

// Loss is the mean loss of a network on calibration samples before a step, and by how
// much it grew.
type Loss struct {
	Before    float64 `json:"before"`
	Predicted float64 `json:"predicted"` // the sum over layers
	Measured  float64 `json:"measured"`
	Samples   int     `json:"samples"`
}

// Training compares a network before and after training on samples that it did not
// learn from. Losses are those that were minimised, shares those of samples whose label
// has the largest output, nil where there are no labels.
type Training struct {
	Samples     int      `json:"samples"` // learned from
	Held        int      `json:"held"`    // measured on
	Steps       int      `json:"steps"`
	Epochs      int      `json:"epochs"`
	Best        int      `json:"best"` // epoch that was kept, 0 for the start
	LossBefore  float64  `json:"loss_before"`
	LossAfter   float64  `json:"loss_after"`
	RightBefore *float64 `json:"right_before,omitempty"`
	RightAfter  *float64 `json:"right_after,omitempty"`
	// Curve are the losses behind every epoch.
	Curve []float64 `json:"curve"`
}

// Kept is something that a step left as it was.
type Kept struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// LayerReport is what a step did to one layer.
type LayerReport struct {
	Name        string  `json:"name"`
	Op          string  `json:"op"`
	Kind        string  `json:"kind"`
	Step        string  `json:"step"`
	Format      string  `json:"format"` // such as "int4/channel"; "" when skipped
	Bits        int     `json:"bits"`
	Exponent    float64 `json:"exponent"` // 0 when there is none
	Orders      int     `json:"orders"`   // terms of a residual expansion, 1 otherwise
	Params      int     `json:"params"`
	BytesBefore int64   `json:"bytes_before"`
	BytesAfter  int64   `json:"bytes_after"`
	// ActivationBits is the width of the data that the layer reads, 0 for float.
	ActivationBits int `json:"activation_bits"`
	// ErrorBefore is the error of the first order of an expansion alone.
	ErrorBefore float64 `json:"error_before"`
	ErrorAfter  float64 `json:"error_after"`
	Skipped     bool    `json:"skipped"`
	Reason      string  `json:"reason"` // why skipped, or what was done differently
	// Rank is the number of channels between the factors of a decomposed layer.
	Rank int `json:"rank,omitempty"`
	// Values is the number of distinct weights of a layer that was hashed.
	Values int `json:"values,omitempty"`
	// Parts are the nodes that a decomposed layer became, in order: where a method does
	// not name them, those that are new and named after the layer, and itself.
	Parts []string `json:"parts,omitempty"`
	// Before and After are what the layer, or its parts, cost around the step, in
	// recipes with steps that prune or decompose; nil for layers that multiply
	// nothing. The runner fills them in.
	Before *LayerCost `json:"before,omitempty"`
	After  *LayerCost `json:"after,omitempty"`
}

// LayerCost is what a layer costs and how far its products repeat.
type LayerCost struct {
	Inputs   int `json:"inputs"`   // channels that it reads
	Channels int `json:"channels"` // that it computes
	cost.Totals
	cost.Reuse
}
