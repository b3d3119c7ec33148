package sense

// Layer is what quantising the weights of one layer alone costs.
type Layer struct {
	Name   string `json:"name"`
	Params int    `json:"params"`
	Bytes  int64  `json:"bytes"` // of the weights, before
	// Loss is how much the network's loss grows, measured; SNR that of its first output.
	Loss float64 `json:"measured_loss"`
	SNR  float64 `json:"snr_db"`
	// Divergence is the mean divergence of the network's answers from those before, which
	// few samples tell better than the loss by labels; nil where Loss is that already or
	// the network is no classifier.
	Divergence *float64 `json:"divergence,omitempty"`
	// The estimates from gradients are nil where there are none.
	Fisher   *float64 `json:"fisher"`
	Gradient *float64 `json:"gradient"`
	SInGE    *float64 `json:"singe"`
	// WeightError is the energy of the change of the weights relative to theirs.
	WeightError float64 `json:"weight_error"`
}

// Left is a layer that is not quantised.
type Left struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Correlation holds Spearman's rank correlations of estimates with the measured loss,
// nil where one of the two does not vary or is missing.
type Correlation struct {
	Fisher      *float64 `json:"fisher"`
	Gradient    *float64 `json:"gradient"`
	SInGE       *float64 `json:"singe"`
	WeightError *float64 `json:"weight_error"`
}

// Result is the sensitivity of all layers, those that lose most first.
type Result struct {
	Bits        int         `json:"bits"`
	Samples     int         `json:"samples"`
	Data        string      `json:"data"` // where the samples are from
	Loss        Loss        `json:"loss"`
	Layers      []Layer     `json:"layers"`
	Left        []Left      `json:"left_out"`
	Correlation Correlation `json:"correlation"`
	// Divergence correlates estimates with the divergence, where layers have one.
	Divergence *Correlation `json:"divergence_correlation,omitempty"`
	Warnings   []string     `json:"warnings"`
}
