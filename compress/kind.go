package compress

import "slices"

// Kind says what a method is for, and with that where it stands in a recipe.
type Kind string

// The kinds.
const (
	Neutral     Kind = "copy"
	Folding     Kind = "fold"
	Pruning     Kind = "prune"
	Decomposing Kind = "decompose"
	Tuning      Kind = "tune"
	Rescaling   Kind = "rescale"
	Quantising  Kind = "quantise"
	Expanding   Kind = "expand"
	Correcting  Kind = "correct"
)

// KindInfo is a kind with one line about it.
type KindInfo struct {
	Kind Kind   `json:"kind"`
	Doc  string `json:"doc"`
}

// Kinds lists the kinds in the order in which a recipe goes through them.
var Kinds = []KindInfo{
	{Neutral, "changes nothing"},
	{Folding, "removes batch-norms without changing the function"},
	{Pruning, "removes channels and weights"},
	{Decomposing, "writes layers as products of smaller ones"},
	{Tuning, "trains weights on data"},
	{Rescaling, "moves factors and offsets between layers without changing the function"},
	{Quantising, "stores weights in few bits, and data where asked"},
	{Expanding, "stores weights as sums of terms of few bits"},
	{Correcting, "takes out of biases what compression put into results"},
}

// Reduces reports whether steps of a kind take work out of a network: what they cost
// and did to its outputs is measured.
func (k Kind) Reduces() bool { return k == Pruning || k == Decomposing }

func (r *Recipe) reduces() bool {
	return slices.ContainsFunc(r.Steps, func(m Method) bool { return kindOf(m).Reduces() })
}

// kindOf is the kind of a method, "" for one that is not registered.
func kindOf(m Method) Kind {
	i, _ := infoOf(m)
	return i.Kind
}
