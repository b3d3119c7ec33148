package prune

import (
	"context"

	"pare/compress"
	"pare/group"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "surgeon",
		Kind: compress.Pruning,
		Doc:  "remove the channels that the others can stand in for best",
		Ref:  "[hassibi93] Second Order Derivatives for Network Pruning: Optimal Brain Surgeon, NeurIPS 1992, on whole channels of what a layer reads",
		New:  func() compress.Method { return &Surgeon{Structured: usual()} },
	})
}

// Surgeon removes the channels whose removal adds least to the squared error of the
// layers that read them, after the best fit of the weights that stay [hassibi93]: by
// the covariance of channels, on data or made-up samples.
type Surgeon struct{ Structured }

// Validate implements compress.Method.
func (q *Surgeon) Validate() error { return q.check() }

// Apply implements compress.Method.
func (q *Surgeon) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	work := q.Structured
	work.surgeon = true
	return work.prune(ctx, m, env, still(unscored))
}

// unscored is the criterion of methods that order units otherwise.
func unscored(_ *group.Analysis, g *group.Group) ([]float64, string) {
	return make([]float64, len(g.Units)), ""
}
