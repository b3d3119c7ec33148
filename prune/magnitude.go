package prune

import (
	"context"
	"errors"
	"math"

	"pare/compress"
	"pare/group"
	"pare/ir"
	"pare/tensor"
)

func init() {
	compress.Register(compress.Info{
		Name: "magnitude",
		Kind: compress.Pruning,
		Doc:  "remove the channels with the smallest weights, or set the smallest weights to zero",
		Ref:  "[li17] Pruning Filters for Efficient ConvNets, arXiv:1608.08710; [han15] Learning both Weights and Connections, arXiv:1506.02626",
		New:  func() compress.Method { return &Magnitude{Structured: usual(), Granularity: "channel", P: 2} },
	})
}

// Magnitude prunes by the norm of weights: whole channels [li17] or single weights
// [han15].
type Magnitude struct {
	Structured
	Granularity string `json:"granularity" doc:"what goes: channels, or single weights, which become 0: they take as many bytes, and less time only where most are 0" values:"channel|weight"`
	P           int    `json:"p" doc:"norm of a channel's weights, 1 or 2"`
}

// Validate implements compress.Method.
func (q *Magnitude) Validate() error {
	if q.P != 1 && q.P != 2 {
		return errors.New("p is neither 1 nor 2")
	}
	return q.checkSparse(q.Granularity)
}

// Apply implements compress.Method.
func (q *Magnitude) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	if q.Granularity == "weight" {
		return q.sparsify(ctx, m, env, func(l *compress.Layer) []float64 {
			out := tensor.Float64s(l.Weight.Const)
			for i, w := range out {
				out[i] = math.Abs(w)
			}
			return out
		})
	}
	return q.prune(ctx, m, env, still(q.norms))
}

// norms are those of the rows of every unit, over all layers that compute it.
func (q *Magnitude) norms(_ *group.Analysis, g *group.Group) ([]float64, string) {
	out, at := make([]float64, len(g.Units)), unitIndex(g)
	for _, l := range g.Links {
		c := l.Value().Const
		if l.Role != group.Row || c.Rank() < 2 {
			continue
		}
		size, inner := c.Shape[l.Axis], tensor.Len(c.Shape[l.Axis+1:])
		for i, w := range tensor.Float32s(c) {
			if k, own := at[l.Units[i/inner%size]]; own {
				out[k] += math.Pow(math.Abs(float64(w)), float64(q.P))
			}
		}
	}
	for k := range out {
		out[k] = math.Pow(out[k], 1/float64(q.P))
	}
	return out, ""
}

// unitIndex finds units in their group.
func unitIndex(g *group.Group) map[int]int {
	at := make(map[int]int, len(g.Units))
	for i, u := range g.Units {
		at[u] = i
	}
	return at
}
