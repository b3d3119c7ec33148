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

// passes is how many times groups of so many units make the network run; those that
// are scored where it stands do so together.
func (r *ranking) passes(groups []*block, together bool) (n int) {
	row := relevances[r.name]
	for _, b := range groups {
		switch {
		case !row.path && together:
			return len(r.lessons)
		case !row.path:
			n++
		case r.Path == "exact":
			n += (r.Steps + 1) * b.size()
		default:
			n += r.Steps + 1
		}
	}
	return n * len(r.lessons)
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
	if weightCriteria[r.name] != nil {
		return nil
	}
	r.lessons, err = lessons(ctx, m, env, r.Sampling, relevances[r.name].path)
	return err
}

// ofAll is the criterion for all groups of m.
func (r *ranking) ofAll(m *ir.Model, blocks []*block) criterion {
	if weightCriteria[r.name] != nil || relevances[r.name].path {
		return r.of(m)
	}
	var known map[*group.Group][]float64
	return func(ctx context.Context, a *group.Analysis, grp *group.Group) (scores []float64, why string, err error) {
		if known == nil {
			var list []*group.Group
			for _, b := range blocks {
				list = append(list, b.Group)
			}
			if known, err = r.gauge().together(ctx, m, list); err != nil {
				return nil, "", err
			}
		}
		if known[grp] == nil {
			return nil, unweighted, nil
		}
		return known[grp], "", nil
	}
}

// of is the criterion for single groups of m.
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

// unweighted is why a group has no scores.
const unweighted = "no weights compute its channels"

// unscorable says why a criterion cannot score a group.
type unscorable struct{ why string }

func (e *unscorable) Error() string { return e.why }
