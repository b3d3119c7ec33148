package prune

import (
	"context"

	"pare/compress"
	"pare/ir"
)

func init() {
	compress.Register(compress.Info{
		Name: "singe",
		Kind: compress.Pruning, Unfolded: true,
		Doc: "remove channels, or set weights to zero, by integrated gradients on the way to their removal",
		Ref: "[yvinec22] SInGE: Sparsity via Integrated Gradients Estimation of Neuron Relevance, arXiv:2207.04089",
		New: func() compress.Method {
			return &SInGE{Gradual: usualGradual(), Criterion: "singe", Sampling: usualSampling, Journey: usualJourney}
		},
	})
}

// usualSampling and usualJourney are the defaults of criteria that look at gradients.
var (
	usualSampling = Sampling{Norm: 2, Batches: 4, Batch: 64, Aim: "labels", Temperature: 4}
	usualJourney  = Journey{Mu: 0.9, Steps: 22, Path: "joint"}
)

// SInGE prunes by the norm of weight times gradient, summed over a geometric path from
// the weights of channels as they are to nothing [yvinec22].
type SInGE struct {
	Gradual
	Criterion string `json:"criterion" doc:"what ranks channels: the sum of the norms of weight times gradient over the path, or another criterion in the same procedure" values:"singe|integrated|gradient-weight|gradient|taylor|magnitude|bn-scale|random"`
	Sampling
	Journey
}

// Validate implements compress.Method.
func (q *SInGE) Validate() error {
	return firstError(q.Gradual.check(), q.Sampling.check(), q.Journey.check())
}

// Apply implements compress.Method.
func (q *SInGE) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.run(ctx, m, env, &ranking{name: q.Criterion, Sampling: q.Sampling, Journey: q.Journey})
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
