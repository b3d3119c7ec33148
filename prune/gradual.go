package prune

import (
	"context"
	"errors"

	"pare/compress"
	"pare/internal/fault"
	"pare/ir"
)

// Gradual are the parameters of methods that prune by a ranking which changes as the
// network does.
type Gradual struct {
	Structured
	Granularity string `json:"granularity" doc:"what goes: channels, or single weights, which become 0: they take as many bytes, and less time only where most are 0" values:"channel|weight"`
	Schooling
}

func usualGradual() Gradual {
	return Gradual{Structured: usual(), Granularity: "channel", Schooling: usualSchooling}
}

func (q *Gradual) check() error {
	return firstError(q.checkSparse(q.Granularity), q.Schooling.check())
}

// run prunes by a ranking.
func (q *Gradual) run(ctx context.Context, m *ir.Model, env *compress.Env, r *ranking) error {
	r.env = env
	c := &course{Gradual: q, m: m, env: env, ranking: r}
	switch {
	case q.Epochs > 0 && env.Data == nil:
		return fault.Hint(errors.New("training needs samples and there are none"), "name some with --data, or leave epochs=0")
	case q.Granularity == "weight":
		return c.sparse(ctx)
	case !q.Given():
		return q.prune(ctx, m, env, still(unscored))
	}
	if err := c.start(ctx); err != nil {
		return err
	}
	if err := c.follow(ctx); err != nil {
		return err
	}
	c.first.report(m, c.plan)
	return nil
}
