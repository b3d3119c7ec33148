package compress

import (
	"encoding/json"
	"fmt"

	"pare/ir"
)

// Provenance is what the written model says of its origin beside the recipe.
type Provenance struct {
	Version string // of pare
	Input   string // hash of the input file, such as "sha256:..."
}

// The metadata keys.
const (
	MetaRecipe  = "pare.recipe"
	MetaVersion = "pare.version"
	MetaSeed    = "pare.seed"
	MetaInput   = "pare.input"
	MetaLayers  = "pare.layers"
)

// write stores the provenance in the model's metadata. It depends on recipe,
// input and seed alone: no times, no paths.
func (p *Provenance) write(m *ir.Model, r *Report) {
	m.SetMeta(MetaRecipe, r.Recipe)
	m.SetMeta(MetaVersion, p.Version)
	m.SetMeta(MetaSeed, fmt.Sprint(r.Seed))
	if p.Input != "" {
		m.SetMeta(MetaInput, p.Input)
	}
	type line struct {
		Name   string  `json:"name"`
		Format string  `json:"format,omitempty"`
		Error  float64 `json:"error,omitempty"`
		Reason string  `json:"reason,omitempty"`
	}
	var lines []line
	for _, l := range r.Layers {
		lines = append(lines, line{l.Name, l.Format, round(l.ErrorAfter), l.Reason})
	}
	if lines != nil {
		b, _ := json.Marshal(lines) // strings and finite numbers
		m.SetMeta(MetaLayers, string(b))
	}
}

// round keeps four significant digits, which is what a summary is good for.
func round(x float64) float64 {
	var y float64
	fmt.Sscanf(fmt.Sprintf("%.4g", x), "%g", &y)
	return y
}
