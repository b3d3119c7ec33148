package prune

import (
	"context"
	"errors"

	"pare/compress"
	"pare/group"
	"pare/ir"
)

// ranking is a criterion with its parameters, as a run uses it: any of relevances, or
// one that looks at weights alone.
type ranking struct {
	name string
	Sampling
	Journey
	env     *compress.Env
	lessons []*lesson
	tick    func() // after every pass, nil for nothing
}

// passes is how many times a group of n units makes the network run.
func (r *ranking) passes(n int) int {
	row, out := relevances[r.name], len(r.lessons)
	if row.path {
		out *= r.Steps + 1
		if r.Path == "exact" {
			out *= n
		}
	}
	return out
}

// weightCriteria look at weights alone.
var weightCriteria = map[string]func(env *compress.Env) criterion{
	"magnitude": func(*compress.Env) criterion { return still((&Magnitude{P: 2}).norms) },
	"bn-scale":  func(*compress.Env) criterion { return still(gammaScores) },
	"random": func(env *compress.Env) criterion {
		return still(func(_ *group.Analysis, g *group.Group) ([]float64, string) {
			return uniform(env, g.ID, len(g.Units)), ""
		})
	},
}

// prepare reads the samples and notes what m makes of them, where the criterion needs
// that.
func (r *ranking) prepare(ctx context.Context, m *ir.Model, env *compress.Env) (err error) {
	r.env = env
	if weightCriteria[r.name] != nil {
		return nil
	}
	r.lessons, err = lessons(ctx, m, env, r.Sampling, relevances[r.name].path)
	return err
}

// of is the criterion on m.
func (r *ranking) of(m *ir.Model) criterion {
	if f := weightCriteria[r.name]; f != nil {
		return f(r.env)
	}
	g := r.gauge()
	return func(ctx context.Context, a *group.Analysis, grp *group.Group) ([]float64, string, error) {
		scores, err := g.scores(ctx, m, grp)
		var out *unscorable
		if errors.As(err, &out) {
			return nil, out.Error(), nil
		}
		return scores, "", err
	}
}

// gauge takes what the criterion reads.
func (r *ranking) gauge() *gauge {
	return &gauge{Sampling: r.Sampling, Journey: r.Journey, row: relevances[r.name], lessons: r.lessons, threads: r.env.Threads, tick: r.tick}
}

// unscorable says why a criterion cannot score a group.
type unscorable struct{ why string }

func (e *unscorable) Error() string { return e.why }
