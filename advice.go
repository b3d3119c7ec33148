package pare

import (
	"fmt"
	"slices"
	"strings"

	"pare/compress"
	"pare/eval"
	"pare/quant"
)

// tellBelow is the agreement with the original below which a report says what
// might keep more of it.
const tellBelow = 0.98

// Judge adds a measurement of the compressed model to the report, and warnings
// that follow from it.
func (r *Report) Judge(res *eval.Result) {
	r.Eval = res
	if res.Against == nil || res.Against.Agreement >= tellBelow {
		return
	}
	text := fmt.Sprintf("%.1f %% of the predictions changed", 100*(1-res.Against.Agreement))
	told := slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "powerquant") })
	if other := powerRecipe(r.Recipe); other != "" && !told {
		text += fmt.Sprintf("; a power grid of the same width often keeps more: try --recipe '%s'", other)
	}
	r.Warnings = append(r.Warnings, text)
}

// powerRecipe is a recipe with power grids where it has even ones, for weights
// alone; "" where it has none.
func powerRecipe(recipe string) string {
	r, err := compress.Parse(recipe)
	if err != nil {
		return ""
	}
	power, _ := compress.Find("powerquant")
	changed := false
	for i, s := range r.Steps {
		u, even := s.(*quant.Uniform)
		if !even {
			continue
		}
		p := power.New().(*quant.PowerQuant)
		p.W, p.Edges, p.Store = u.W, u.Edges, u.Store
		r.Steps[i], changed = p, true
	}
	if !changed {
		return ""
	}
	return r.String()
}
