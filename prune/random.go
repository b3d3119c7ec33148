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
	Granularity string `json:"granularity" doc:"what goes: channels, or single weights, which become 0: they take as many bytes, and less time only where most are 0" values:"channel|weight"`
}

// Validate implements compress.Method.
func (q *Random) Validate() error { return q.checkSparse(q.Granularity) }

// Apply implements compress.Method.
func (q *Random) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if q.Granularity == "weight" {
		return q.sparsify(ctx, m, env, func(l *compress.Layer) []float64 { return uniform(env, l.Name, l.Weight.Const.Len()) })
	}
	return q.prune(ctx, m, env, still(func(_ *group.Analysis, g *group.Group) ([]float64, string) {
		return uniform(env, g.ID, len(g.Units)), ""
	}))
}

// uniform are n random numbers that depend on the seed and the name.
func uniform(env *compress.Env, name string, n int) []float64 {
	r, out := env.Rand(name), make([]float64, n)
	for i := range out {
		out[i] = r.Float64()
	}
	return out
}
