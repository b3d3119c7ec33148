package pare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"pare/eval"
)

// Goal is a bound on one measured figure.
type Goal struct {
	Metric string
	Least  bool // whether Bound is the least or the largest value that will do
	Bound  float64
}

// goalMetrics are the figures that goals can be about.
var goalMetrics = []string{"agreement", "cosine", "drop", "macs", "max_abs_error", "nll", "params", "size", "snr_db", "spearman", "top1", "top5"}

// ParseGoals reads bounds such as "drop<=1%,agreement>=0.99,size<=25%". Figures
// are those of eval's JSON document; drop is the reference's top1 less the
// model's; size, macs and params are the written file's part of the original's
// bytes, multiply-accumulates and parameters. A per cent sign divides by 100.
func ParseGoals(text string) ([]Goal, error) {
	var out []Goal
	for part := range strings.SplitSeq(text, ",") {
		metric, bound, least := strings.Cut(part, ">=")
		if !least {
			var ok bool
			if metric, bound, ok = strings.Cut(part, "<="); !ok {
				return nil, fmt.Errorf("goal %q: want a figure, >= or <=, and a number", part)
			}
		}
		g := Goal{Metric: strings.TrimSpace(metric), Least: least}
		if !slices.Contains(goalMetrics, g.Metric) {
			return nil, fmt.Errorf("goal %q: unknown figure %q; there are %s", part, g.Metric, strings.Join(goalMetrics, ", "))
		}
		number, per := strings.CutSuffix(strings.TrimSpace(bound), "%")
		x, err := strconv.ParseFloat(number, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("goal %q: %q is not a number", part, bound)
		}
		if per {
			x /= 100
		}
		g.Bound = x
		out = append(out, g)
	}
	return out, nil
}

// String spells the goal as ParseGoals reads it.
func (g Goal) String() string {
	sign := "<="
	if g.Least {
		sign = ">="
	}
	return fmt.Sprintf("%s%s%v", g.Metric, sign, g.Bound)
}

// Missed lists the goals that figures do not meet, or that were not measured.
func Missed(goals []Goal, figures map[string]float64) []string {
	var out []string
	for _, g := range goals {
		x, measured := figures[g.Metric]
		switch {
		case !measured:
			known := slices.Sorted(maps.Keys(figures))
			out = append(out, fmt.Sprintf("%v: not measured here; measured are %s", g, strings.Join(known, ", ")))
		case g.Least && !(x >= g.Bound), !g.Least && !(x <= g.Bound):
			out = append(out, fmt.Sprintf("%v: it is %.6g", g, x))
		}
	}
	return out
}

// Figures are what goals can be checked against after an evaluation; r may be
// nil.
func Figures(r *eval.Result) map[string]float64 {
	out := map[string]float64{}
	if r == nil {
		return out
	}
	set := func(name string, x *float64) {
		if x != nil {
			out[name] = *x
		}
	}
	set("top1", r.Top1)
	set("top5", r.Top5)
	set("nll", r.NLL)
	set("spearman", r.Spearman)
	if a := r.Against; a != nil {
		out["agreement"], out["snr_db"], out["max_abs_error"] = a.Agreement, a.SNR, a.MaxAbsError
		set("cosine", a.Cosine)
		if a.Top1 != nil && r.Top1 != nil {
			out["drop"] = *a.Top1 - *r.Top1
		}
	}
	return out
}
