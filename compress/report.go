package compress

// Report says what a recipe did. It is the "compress" document of the command
// line; bytes are those of constants as stored, times are seconds, errors are
// relative: root mean square of the difference over that of the original.
type Report struct {
	Recipe  string        `json:"recipe"`
	Seed    uint64        `json:"seed"`
	Seconds float64       `json:"seconds"`
	Peak    int64         `json:"peak_memory_bytes"`
	Before  Size          `json:"before"`
	After   Size          `json:"after"`
	Steps   []StepReport  `json:"steps"`
	Layers  []LayerReport `json:"layers"`
	// Warnings are things that the user should act on or know.
	Warnings []string `json:"warnings"`
}

// Size is what the constants of a model amount to.
type Size struct {
	Params int   `json:"params"` // elements of constants of floating-point or code type
	Bytes  int64 `json:"bytes"`
}

// StepReport is one step of a recipe.
type StepReport struct {
	Step        string  `json:"step"`
	Seconds     float64 `json:"seconds"`
	BytesBefore int64   `json:"bytes_before"`
	BytesAfter  int64   `json:"bytes_after"`
	// Layers is the number of layers that the step changed, Skipped that of the
	// layers it left alone for a reason.
	Layers  int `json:"layers"`
	Skipped int `json:"skipped"`
	// Exponent is the exponent of a power grid shared by the network.
	Exponent float64 `json:"exponent,omitempty"`
	// Expansion is the cost of a residual expansion, relative to its first order
	// alone.
	Expansion *Expansion `json:"expansion,omitempty"`
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

// Expansion says what the terms of a residual expansion cost together, the first
// alone being 1.
type Expansion struct {
	BitOperations float64 `json:"bit_operations"`
	Bytes         float64 `json:"bytes"`
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
}
