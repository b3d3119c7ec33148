package prune

import (
	"context"

	"pare/compress"
	"pare/group"
	"pare/ir"
)

// Gradual are the parameters of methods that prune by a ranking which changes as the
// network does.
type Gradual struct {
	Structured
	Granularity string `json:"granularity" doc:"what goes: channels, or single weights, which become 0: they take as many bytes, and less time only where most are 0" values:"channel|weight"`
}

func usualGradual() Gradual {
	return Gradual{Structured: usual(), Granularity: "channel"}
}

func (q *Gradual) check() error { return q.checkSparse(q.Granularity) }

// run prunes by a ranking.
func (q *Gradual) run(ctx context.Context, m *ir.Model, env *compress.Env, r *ranking) error {
	score := still(unscored)
	if q.Given() {
		if err := r.prepare(ctx, m, env); err != nil {
			return err
		}
		score = r.of(m)
	}
	return q.prune(ctx, m, env, score)
}

var _ group.Role
