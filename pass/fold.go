package pass

import (
	"context"
	"fmt"
	"maps"
	"math"
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
			r.Kept = append(r.Kept, Kept{nodeName(n), why})
		}
	}
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

// candidate is a node that scales and shifts every channel.
type candidate struct {
	node   *ir.Node
	axis   int
	affine affine
	norm   *norm // nil for other than batch-norms
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
	list, why := f.candidates(n, simple)
	for _, c := range list {
		back, why1, err := f.try(&c, true, simple)
		if back || err != nil {
			return back, err
		}
		if c.norm == nil {
			continue
		}
		on, why2, err := f.try(&c, false, simple)
		if on || err != nil {
			return on, err
		}
		why = fmt.Sprintf("not into what comes before: %s; nor into what follows: %s", why1, why2)
	}
	if why != "" {
		f.reasons[n] = why
	}
	return false, nil
}

// candidates describes n as something to fold, or says why a batch-norm is none. Multiplications
// are only folded backward and into a single layer, where batch-norms are taken
// apart: the factors of other normalisations belong to what they normalise.
func (f *bnFolder) candidates(n *ir.Node, simple bool) ([]candidate, string) {
	if f.standard(n, "BatchNormalization") {
		b, why := f.norm(n)
		if b == nil {
			return nil, why
		}
		return []candidate{{n, 1, b.affine(), b}}, ""
	}
	if !simple || !f.standard(n, "Mul") && !f.standard(n, "Div") || len(n.Out) != 1 {
		return nil, ""
	}
	rank := f.types[n.Out[0]].Rank()
	for axis := 1; axis < rank; axis++ {
		k, factors := f.factors(n, n.Out[0], axis)
		if factors == nil || !finite(factors) {
			continue
		}
		if n.In[k].Const.Len() == 1 && axis != f.naturalAxis(n.In[1-k], rank) {
			continue
		}
		return []candidate{{n, axis, affine{factors, make([]float64, len(factors))}, nil}}, ""
	}
	return nil, ""
}

// naturalAxis is the axis of the channels of v as its producer sees it.
func (f *bnFolder) naturalAxis(v *ir.Value, rank int) int {
	if n := v.Producer(); n != nil {
		for axis := range rank {
			if l, _ := f.layer(n, v, axis); l != nil {
				return axis
			}
		}
	}
	if rank == 3 {
		return 2
	}
	return 1
}

// weakest is the largest ratio of the mean of a batch-norm's output to its
// deviation at which other readers of its operand may undo it: their rounding
// errors grow by that factor.
const weakest = 100

// weak says why undoing the candidate would lose accuracy, "" when it would not.
func (c *candidate) weak() string {
	if c.norm == nil {
		return ""
	}
	for k, g := range c.norm.gamma {
		if g != 0 && math.Abs(c.norm.beta[k]) > weakest*math.Abs(g) {
			return fmt.Sprintf("its scale is nearly zero in channel %d, which other readers could not undo accurately", k)
		}
	}
	return ""
}

// data is the operand that the candidate changes.
func (c *candidate) data(w *work) *ir.Value {
	if c.norm == nil && w.constant(c.node.In[0]) {
		return c.node.In[1]
	}
	return c.node.In[0]
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

// rewrite collects the edits that carry out a fold.
func (f *bnFolder) rewrite(e *edit, r *region, c *candidate) string {
	for _, n := range f.g.Nodes {
		if why := r.rewriteNode(e, n); why != "" {
			return why
		}
	}
	x, y := c.data(f.work), c.node.Out[0]
	if why := f.statistics(e, r, c, x, y); why != "" {
		return why
	}
	e.p.Replace(y, e.at(x))
	e.p.RemoveNode(c.node)
	return ""
}

// rewriteNode changes the parameters of one node.
func (r *region) rewriteNode(e *edit, n *ir.Node) string {
	l := r.leaves[n]
	if l == nil {
		l = r.roots[n]
	}
	if l != nil {
		return l.rewrite(e, r.before(l), r.behind(l))
	}
	p := r.passages[n]
	if p == nil {
		return ""
	}
	for i := range p.links {
		s := r.slotOf(n, &p.links[i])
		c := r.carries[s]
		if s.use.Node == nil || c == nil {
			continue
		}
		t, ok := r.change(c).applyTo(s.v.Const, c.axis)
		if !ok {
			return fmt.Sprintf("a constant of %v would not fit %v", n, s.v.Const.Type)
		}
		if !r.change(c).isIdentity() {
			e.setConst(n, s.use.In, t)
		}
	}
	return ""
}

// change is what happens to a carried value, the identity outside the region.
func (r *region) change(c *carry) affine {
	a := identityMap(len(c.affine.scale))
	for k := range a.scale {
		if c.inside(k) {
			a.scale[k], a.offset[k] = c.affine.scale[k], c.affine.offset[k]
		}
	}
	if !r.backward {
		return a.inverse()
	}
	return a
}

// before is what a layer must undo of its operand: the old one in terms of the new.
func (r *region) before(l *layer) affine {
	c := r.carries[slot{v: l.in()}]
	if r.leaves[l.node] == nil || c == nil {
		return identityMap(l.inC)
	}
	if r.backward {
		return r.change(c).inverse()
	}
	a := identityMap(l.inC)
	for k := range a.scale {
		if c.inside(k) {
			a.scale[k], a.offset[k] = c.affine.scale[k], c.affine.offset[k]
		}
	}
	return a
}

// behind is what a layer must do to its result.
func (r *region) behind(l *layer) affine {
	if r.roots[l.node] == nil {
		return identityMap(l.outC)
	}
	return r.change(r.carries[slot{v: l.out}])
}

// statistics keeps what is known of values: those of the region change with
// them, and the value that takes the place of the folded node's result gets that
// one's, or its operand keeps its own.
func (f *bnFolder) statistics(e *edit, r *region, c *candidate, x, y *ir.Value) string {
	for s, carry := range r.carries {
		if s.use.Node == nil && s.v != x && s.v != y {
			e.p.SetStats(e.at(s.v), changedStats(f.statsOf(s.v), carry.axis, r.change(carry)))
		}
	}
	for n := range maps.Keys(r.leaves) {
		if f.standard(n, "BatchNormalization") && r.roots[n] == nil {
			e.p.SetStats(n.Out[0], f.statsOf(n.Out[0]))
		}
	}
	switch {
	case r.backward && c.norm != nil:
		e.p.SetStats(e.at(x), f.statsOf(y))
	case r.backward:
		e.p.SetStats(e.at(x), changedStats(f.statsOf(x), c.axis, r.change(r.carries[r.start])))
	case c.norm != nil && f.statsOf(x) == nil && !f.touched[c.node]:
		e.p.SetStats(x, c.norm.operandStats())
	}
	return ""
}

// statsOf is what is known of v: recorded, or as the parameters of an
// untouched batch-norm say.
func (f *bnFolder) statsOf(v *ir.Value) *ir.Stats {
	n := v.Producer()
	if v.Stats != nil || n == nil || f.touched[n] || !f.standard(n, "BatchNormalization") {
		return v.Stats
	}
	b, _ := f.norm(n)
	if b == nil {
		return nil
	}
	return b.stats()
}

// operandStats are mean and deviation of what the batch-norm normalises.
func (b *norm) operandStats() *ir.Stats {
	return &ir.Stats{Axis: 1, Mean: b.mean, Std: b.std, Source: "batch-norm " + nodeName(b.node)}
}

// changedStats are the statistics of a value that changed by a along axis, nil
// where they do not follow from the old ones.
func changedStats(s *ir.Stats, axis int, a affine) *ir.Stats {
	if s == nil || s.Axis != axis || len(s.Mean) != len(a.scale) || len(s.Std) != len(a.scale) {
		return nil
	}
	out := &ir.Stats{Axis: s.Axis, Source: s.Source}
	ranged := len(s.Lo) == len(s.Mean) && len(s.Hi) == len(s.Mean)
	for k, scale := range a.scale {
		out.Mean = append(out.Mean, scale*s.Mean[k]+a.offset[k])
		out.Std = append(out.Std, math.Abs(scale)*s.Std[k])
		if ranged {
			lo, hi := scale*s.Lo[k]+a.offset[k], scale*s.Hi[k]+a.offset[k]
			out.Lo, out.Hi = append(out.Lo, min(lo, hi)), append(out.Hi, max(lo, hi))
		}
	}
	return out
}
