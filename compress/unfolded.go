package compress

import (
	"context"
	"slices"

	"pare/ir"
	"pare/pass"
)

// warnUnfolded warns of a step that prunes or decomposes weights which batch-norms
// behind them still change: those tell equal channels apart, and errors of weights are
// weighed without them.
func (r *Recipe) warnUnfolded(ctx context.Context, m *ir.Model, env *Env, i int) error {
	step := r.Steps[i]
	settled := kinds(Folding, Pruning, Decomposing).of // folded, or warned of
	if info, _ := infoOf(step); info.Unfolded || !info.Kind.Reduces() || slices.ContainsFunc(r.Steps[:i], settled) || !hasBatchNorms(m.Graph) {
		return nil
	}
	rep, err := pass.FoldBatchNorms(ctx, ir.CloneModel(m))
	if err != nil || rep.Folded == 0 {
		return err
	}
	env.Warn("%d batch-norms can be folded and are not: %s looks at weights that they still change; %s", rep.Folded, stepString(step), r.foldedFirst())
	return nil
}

// foldedFirst writes the recipe with its step that folds, or a new one, in front.
func (r *Recipe) foldedFirst() string {
	steps := slices.Clone(r.Steps)
	if i := slices.IndexFunc(steps, kinds(Folding).of); i >= 0 {
		fold := steps[i]
		return write(r, slices.Insert(slices.Delete(steps, i, i+1), 0, fold))
	}
	fold, ok := Find("fold")
	if !ok {
		return "fold first"
	}
	return write(r, slices.Insert(steps, 0, fold.New()))
}

func hasBatchNorms(g *ir.Graph) bool {
	return slices.ContainsFunc(g.Nodes, func(n *ir.Node) bool { return n.Op == "BatchNormalization" })
}
