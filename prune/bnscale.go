package prune

import (
	"context"
	"errors"
	"math"

	"pare/compress"
	"pare/group"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

func init() {
	compress.Register(compress.Info{
		Name: "bn-scale",
		Kind: compress.Pruning,
		Doc:  "remove the channels that batch-norms scale least",
		Ref:  "[liu17] Learning Efficient Convolutional Networks through Network Slimming, arXiv:1708.06519",
		New:  func() compress.Method { return &BNScale{Structured: usual()} },
	})
}

// BNScale prunes by |γ| of batch-norms [liu17], those in the graph and those that
// fold took out, which left it as the deviation of the channels.
type BNScale struct{ Structured }

// Validate implements compress.Method.
func (q *BNScale) Validate() error { return q.check() }

// Apply implements compress.Method.
func (q *BNScale) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	scored := false
	err := q.prune(ctx, m, env, still(func(a *group.Analysis, g *group.Group) ([]float64, string) {
		scores, why := gammaScores(a, g)
		scored = scored || why == ""
		return scores, why
	}))
	var out *Unreachable
	if errors.As(err, &out) && !scored {
		return fault.Hint(errors.New("no batch-norm tells how channels are scaled: there is none, or it was folded before pare saw the network"), "magnitude and surgeon need none")
	}
	return err
}

// gammaScores are the mean |γ| of every unit, over the batch-norms behind what computes
// it.
func gammaScores(a *group.Analysis, g *group.Group) ([]float64, string) {
	sum, n, at := make([]float64, len(g.Units)), make([]float64, len(g.Units)), unitIndex(g)
	for _, l := range g.Links {
		if l.Role == group.Column || len(l.Node.Out) == 0 {
			continue
		}
		v := l.Node.Out[0]
		gamma := gammas(l.Node)
		_, units, ok := a.Channels(v)
		if !ok || len(gamma) != len(units) {
			continue
		}
		for i, u := range units {
			if k, own := at[u]; own {
				sum[k], n[k] = sum[k]+math.Abs(gamma[i]), n[k]+1
			}
		}
	}
	for k := range sum {
		if n[k] == 0 {
			return nil, "no batch-norm tells how its channels are scaled"
		}
		sum[k] /= n[k]
	}
	return sum, ""
}

// gammas are the scales of the batch-norm behind a layer, folded or not; nil where
// there is none.
func gammas(n *ir.Node) []float64 {
	v := n.Out[0]
	if s := v.Stats; s != nil && s.Axis == 1 {
		return s.Std
	}
	if len(v.Uses()) == 1 {
		if b := v.Uses()[0].Node; b.Op == "BatchNormalization" && b.In[1] != nil && b.In[1].Const != nil {
			return tensor.Float64s(b.In[1].Const)
		}
	}
	return nil
}
