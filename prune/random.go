package prune

import (
	"context"

	"pare/compress"
	"pare/group"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "random",
		Kind: compress.Pruning,
		Doc:  "remove channels, or set weights to zero, at random: what every criterion has to beat",
		New:  func() compress.Method { return &Random{Structured: usual(), Granularity: "channel"} },
	})
}

// Random prunes at random, as the seed says.
type Random struct {
	Structured
	Granularity string `json:"granularity" doc:"what goes: channels, or single weights, which become 0 and take as long to run" values:"channel|weight"`
}

// Validate implements compress.Method.
func (q *Random) Validate() error { return q.check() }

// Apply implements compress.Method.
func (q *Random) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.prune(ctx, m, env, func(_ *group.Analysis, g *group.Group) ([]float64, string) {
		r, out := env.Rand(g.ID), make([]float64, len(g.Units))
		for i := range out {
			out[i] = r.Float64()
		}
		return out, ""
	})
}
