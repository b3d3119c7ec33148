package prune

import (
	"context"

	"pare/compress"
	"pare/ir"
)

func init() {
	const ref = "[yvinec22] SInGE: Sparsity via Integrated Gradients Estimation of Neuron Relevance, arXiv:2207.04089"
	compress.Register(compress.Info{
		Name: "gradient", Kind: compress.Pruning, Unfolded: true, Ref: ref,
		Doc: "remove the channels, or set the weights to zero, with the smallest gradients",
		New: func() compress.Method { return &Gradient{Gradual: usualGradual(), Sampling: usualSampling} },
	})
	compress.Register(compress.Info{
		Name: "gradient-weight", Kind: compress.Pruning, Unfolded: true, Ref: ref,
		Doc: "remove the channels, or set the weights to zero, with the smallest products of weight and gradient",
		New: func() compress.Method { return &GradientWeight{Gradual: usualGradual(), Sampling: usualSampling} },
	})
	compress.Register(compress.Info{
		Name: "integrated", Kind: compress.Pruning, Unfolded: true, Ref: ref,
		Doc: "remove the channels, or set the weights to zero, with the smallest gradients on the way to their removal",
		New: func() compress.Method {
			return &Integrated{Gradual: usualGradual(), Sampling: usualSampling, Journey: usualJourney}
		},
	})
	compress.Register(compress.Info{
		Name: "taylor", Kind: compress.Pruning, Unfolded: true,
		Doc: "remove the channels, or set the weights to zero, whose removal changes the loss least to first order",
		Ref: "[molchanov19] Importance Estimation for Neural Network Pruning, arXiv:1906.10771",
		New: func() compress.Method {
			return &Taylor{Gradual: usualGradual(), Sampling: Sampling{Norm: 2, Batches: 32, Batch: 8, Aim: "answers", Temperature: 4}}
		},
	})
}

// Gradient prunes by the norm of the gradients of channels [yvinec22].
type Gradient struct {
	Gradual
	Sampling
}

// Validate implements compress.Method.
func (q *Gradient) Validate() error { return firstError(q.Gradual.check(), q.Sampling.check()) }

// Apply implements compress.Method.
func (q *Gradient) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.run(ctx, m, env, &ranking{name: "gradient", Sampling: q.Sampling})
}

// GradientWeight prunes by the norm of weight times gradient [yvinec22]: the first
// step of the path of SInGE.
type GradientWeight struct {
	Gradual
	Sampling
}

// Validate implements compress.Method.
func (q *GradientWeight) Validate() error { return firstError(q.Gradual.check(), q.Sampling.check()) }

// Apply implements compress.Method.
func (q *GradientWeight) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.run(ctx, m, env, &ranking{name: "gradient-weight", Sampling: q.Sampling})
}

// Integrated prunes by the norms of gradients, summed over the path [yvinec22].
type Integrated struct {
	Gradual
	Sampling
	Journey
}

// Validate implements compress.Method.
func (q *Integrated) Validate() error {
	return firstError(q.Gradual.check(), q.Sampling.check(), q.Journey.check())
}

// Apply implements compress.Method.
func (q *Integrated) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.run(ctx, m, env, &ranking{name: "integrated", Sampling: q.Sampling, Journey: q.Journey})
}

// Taylor prunes by the square of the sum of weight times gradient over a channel,
// summed over batches [molchanov19].
type Taylor struct {
	Gradual
	Sampling
}

// Validate implements compress.Method.
func (q *Taylor) Validate() error { return firstError(q.Gradual.check(), q.Sampling.check()) }

// Apply implements compress.Method.
func (q *Taylor) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	return q.run(ctx, m, env, &ranking{name: "taylor", Sampling: q.Sampling})
}
