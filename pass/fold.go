package pass

import (
	"context"
	"fmt"
	"slices"

	"pare/ir"
	"pare/op"
)

// FoldOptions are the settings of FoldBatchNormsWith.
type FoldOptions struct {
	// BothRoles lets a dense or ordinary convolutional layer take up a change of
	// its operand and its result at once, which the published condition excludes.
	BothRoles bool
}

// FoldReport says which batch-norms were folded.
type FoldReport struct {
	Total, Folded int
	// Scales counts multiplications with constants per channel that were folded
	// as well: batch-norms as some exporters write them.
	Scales int
	Kept   []Kept
}

// Kept is a batch-norm that stays, and why.
type Kept struct{ Name, Reason string }

// FoldBatchNorms removes, in place, every batch-norm whose scale and offset the
// layers around it can take up without a change of the function, by the necessary
// and sufficient condition of [yvinec22], "To Fold or Not to Fold",
// arXiv:2203.14646: backward into what computes its operand, or forward into
// what reads its result, while other readers or writers compensate. The value
// that carries a folded batch-norm's output keeps its mean and deviation as
// statistics. It infers types itself; run Simplify first.
func FoldBatchNorms(ctx context.Context, m *ir.Model) (*FoldReport, error) {
	return FoldBatchNormsWith(ctx, m, FoldOptions{})
}

// FoldBatchNormsWith is FoldBatchNorms with options.
func FoldBatchNormsWith(ctx context.Context, m *ir.Model, o FoldOptions) (*FoldReport, error) {
	f := &bnFolder{work: newWork(ctx, m, Options{}), o: o, reasons: map[*ir.Node]string{}, touched: map[*ir.Node]bool{}}
	r := &FoldReport{}
	for _, n := range m.Graph.Nodes {
		if f.standard(n, "BatchNormalization") {
			r.Total++
		}
	}
	for {
		n, err := f.sweep(r)
		if err != nil {
			return r, err
		}
		if n == 0 {
			break
		}
	}
	for _, n := range m.Graph.Nodes {
		if why, ok := f.reasons[n]; ok && f.standard(n, "BatchNormalization") {
			r.Kept = append(r.Kept, Kept{n.Label(), why})
		}
	}
	f.nested(r)
	if _, err := dead(f.work); err != nil {
		return r, err
	}
	_, err := op.Infer(m)
	return r, err
}

// bnFolder folds the batch-norms of one graph.
type bnFolder struct {
	*work
	o       FoldOptions
	reasons map[*ir.Node]string
	touched map[*ir.Node]bool // nodes whose parameters a fold changed
}

// nested reports the batch-norms of sub-graphs and functions, which stay.
func (f *bnFolder) nested(r *FoldReport) {
	var walk func(g *ir.Graph, where string)
	walk = func(g *ir.Graph, where string) {
		for _, n := range g.Nodes {
			if where != "" && f.standard(n, "BatchNormalization") {
				r.Total++
				r.Kept = append(r.Kept, Kept{n.Label(), "it is inside " + where})
			}
			for _, s := range n.Subgraphs() {
				walk(s, fmt.Sprintf("a sub-graph of %v", n))
			}
		}
	}
	walk(f.g, "")
	for _, fn := range f.m.Functions {
		walk(fn.Body, "the function "+fn.Name)
	}
}

// sweep folds what can be folded, in the order of the nodes: first what needs no
// more than one layer, then the rest.
func (f *bnFolder) sweep(r *FoldReport) (int, error) {
	count := 0
	for _, simple := range []bool{true, false} {
		for _, n := range slices.Clone(f.g.Nodes) {
			if err := context.Cause(f.ctx); err != nil {
				return count, err
			}
			if err := f.learn(); err != nil {
				return count, err
			}
			done, err := f.fold(n, simple)
			if err != nil {
				return count, err
			}
			switch {
			case done && n.Op == "BatchNormalization":
				r.Folded++
				count++
			case done:
				r.Scales++
				count++
			}
		}
	}
	return count, nil
}

// fold folds n in one of the two directions.
func (f *bnFolder) fold(n *ir.Node, simple bool) (bool, error) {
	c, why := f.candidate(n, simple)
	if c == nil {
		if why != "" {
			f.reasons[n] = why
		}
		return false, nil
	}
	done, before, err := f.try(c, true, simple)
	if done || err != nil || c.norm == nil {
		return done, err
	}
	done, behind, err := f.try(c, false, simple)
	if !done {
		f.reasons[n] = fmt.Sprintf("not into what comes before: %s; nor into what follows: %s", before, behind)
	}
	return done, err
}

// try folds c in one direction, if that is possible.
func (f *bnFolder) try(c *candidate, backward, simple bool) (bool, string, error) {
	x, y := c.data(f.work), c.node.Out[0]
	r := &region{work: f.work, fold: c.node, start: slot{v: y}, backward: backward, both: f.o.BothRoles}
	if backward {
		r.start, r.weak = slot{v: x}, c.weak()
	}
	switch {
	case !backward && !f.replaceable(y, x):
		return false, fmt.Sprintf("%s is an output of the graph", quoted(y)), nil
	case len(c.node.Out) > 1 && !f.onlyResult(c.node):
		return false, "its other results are used", nil
	}
	why := r.spread(c.axis, c.affine.scale)
	if why == "" {
		why = r.settle(c.affine.offset)
	}
	if why == "" && simple && len(r.roots)+len(r.leaves) != 1 {
		why = "more than one layer would have to change"
	}
	if why != "" {
		return false, why, nil
	}
	e := f.edit("fold " + c.node.String())
	if why := f.rewrite(e, r, c); why != "" {
		return false, why, nil
	}
	for _, m := range []map[*ir.Node]*layer{r.roots, r.leaves} {
		for n := range m {
			f.touched[n] = true
		}
	}
	return true, "", f.apply(e.p)
}
