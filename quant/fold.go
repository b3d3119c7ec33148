package quant

import (
	"context"

	"pare/compress"
	"pare/ir"
	"pare/pass"
)

func init() {
	compress.Register(compress.Info{
		Name: "fold",
		Kind: compress.Folding,
		Doc:  "remove batch-norms, and what exporters leave behind, without changing the function",
		Ref:  "[yvinec22] To Fold or Not to Fold: a Necessary and Sufficient Condition on Batch-Normalization Layers Folding, arXiv:2203.14646",
		New:  func() compress.Method { return &Fold{} },
	})
}

// Fold simplifies the graph and folds batch-norms into the layers around them
// [yvinec22]. Values that carried a batch-norm's output keep its statistics for
// the steps that follow.
type Fold struct {
	Both bool `json:"both" doc:"let a layer take up a change of its operand and its result at once, beyond the published condition"`
}

// Validate implements compress.Method.
func (f *Fold) Validate() error { return nil }

// Apply implements compress.Method.
func (f *Fold) Apply(ctx context.Context, m *ir.Model, env *compress.Env) error {
	before := len(m.Graph.Nodes)
	if _, err := pass.Simplify(ctx, m); err != nil {
		return err
	}
	if _, err := pass.AbsorbBiases(ctx, m); err != nil {
		return err
	}
	rep, err := pass.FoldBatchNormsWith(ctx, m, pass.FoldOptions{BothRoles: f.Both})
	if err != nil {
		return err
	}
	// Where a batch-norm stood, additions meet and transpositions cancel.
	if _, err := pass.AbsorbBiases(ctx, m); err != nil {
		return err
	}
	if _, err := pass.Simplify(ctx, m); err != nil {
		return err
	}
	s := env.Step()
	s.Folded, s.Simplified = rep.Folded, before-len(m.Graph.Nodes)-rep.Folded
	for _, k := range rep.Kept {
		s.Kept = append(s.Kept, compress.Kept{Name: k.Name, Reason: k.Reason})
	}
	return nil
}
