package prune

import (
	"context"
	"math"
	"slices"

	"pare/ir"
)

// errorModel predicts what removing units does to the network: the squared error of
// what every reader computes, relative to the variance of that, times the part
// of it that reaches the output.
type errorModel struct {
	p      *pruning
	share  map[*ir.Value]float64 // of the variance of a value in what it is added to, up to the output
	repair string                // what makes up for removed units
}

func (p *pruning) newErrorModel(repair string) *errorModel {
	e := &errorModel{p: p, share: map[*ir.Value]float64{}, repair: repair}
	for _, n := range backwards(p.m.Graph.Nodes) {
		e.trace(n)
	}
	return e
}

func backwards(nodes []*ir.Node) []*ir.Node {
	out := make([]*ir.Node, len(nodes))
	for i, n := range nodes {
		out[len(nodes)-1-i] = n
	}
	return out
}

// sums are the operators behind which an error counts by the share of its operand.
var sums = map[string]bool{"Add": true, "Sub": true, "Sum": true}

// trace works out which share of a relative error of what n reads reaches the output:
// all of it through most nodes, through a sum that of the operand in its variance.
// A value that several nodes read counts once for each.
func (e *errorModel) trace(n *ir.Node) {
	behind := 0.0
	for _, v := range n.Out {
		if v == nil {
			continue
		}
		if e.p.m.Graph.IsOutput(v) {
			e.share[v] = 1
		}
		behind = max(behind, e.share[v])
	}
	for _, v := range n.In {
		if v == nil || v.Const != nil {
			continue
		}
		part := behind
		if own, all := e.variance(v), e.variance(n.Out[0]); sums[n.Op] && own > 0 && all > 0 {
			part *= min(1, own/all)
		}
		e.share[v] = min(1, e.share[v]+part)
	}
}

// variance is that of a value, all channels together; 0 where it is not known.
func (e *errorModel) variance(v *ir.Value) float64 {
	if v == nil {
		return 0
	}
	_, variance := e.p.moments(v)
	sum := 0.0
	for _, x := range variance {
		sum += x
	}
	return sum
}

// costs predicts the error of removing the first 0, 1, 2... units of the order of b.
func (e *errorModel) costs(ctx context.Context, b *block) ([]float64, error) {
	out, at := make([]float64, b.most()+1), unitIndex(b.Group)
	for _, r := range e.p.readers {
		if !r.reads(at) {
			continue
		}
		part, err := e.reader(ctx, r, b, at)
		if err != nil {
			return nil, err
		}
		for n := range out {
			out[n] += part[n]
		}
	}
	return out, nil
}

// reader is the part of costs that one reader adds.
func (e *errorModel) reader(ctx context.Context, r *reader, b *block, at map[int]int) ([]float64, error) {
	cov, err := e.covariance(ctx, r)
	if err != nil {
		return nil, err
	}
	w := gramOf(r.columns())
	c := len(r.link.Units)
	whole := 0.0
	for i := range c {
		whole += quadratic(w, cov, c, i)
	}
	part := e.share[r.node.Out[0]] / max(whole, math.SmallestNonzeroFloat32)
	out := e.removal(r, b, at, w, cov)
	for n := range out {
		out[n] *= part
	}
	return out, nil
}

// quadratic is row i of w times row i of cov.
func quadratic(w, cov []float64, c, i int) float64 { return dot(w[i*c:][:c], cov[i*c:][:c]) }

// removal sums w times cov over the removed columns, whose order is that of b: what
// is left of it given the columns that stay, where weights are fitted anew.
func (e *errorModel) removal(r *reader, b *block, at map[int]int, w, cov []float64) []float64 {
	c := len(r.link.Units)
	when := make([]int, c) // a column goes with so many units, never: none
	rank := make([]int, b.size())
	for n, i := range b.order {
		rank[i] = n + 1
	}
	for j, u := range r.link.Units {
		when[j] = math.MaxInt
		if i, own := at[u]; own {
			when[j] = rank[i]
		}
	}
	order := byLast(when)
	w, cov = permuted(w, order), permuted(cov, order)
	steps := make([]float64, c) // by column in order, what its removal adds
	if e.repair == "fit" {
		e.conditional(w, cov, c, steps)
	} else {
		plain(w, cov, c, steps)
	}
	out := make([]float64, b.most()+1)
	for k, j := range order {
		if when[j] < len(out) {
			out[when[j]] += steps[k]
		}
	}
	for n := 1; n < len(out); n++ {
		out[n] += out[n-1]
	}
	return out
}

// plain: each removed column adds its own part and what it shares with those
// removed before, which stand behind it.
func plain(w, cov []float64, c int, steps []float64) {
	for k := range c {
		own := w[k*c+k] * cov[k*c+k]
		steps[k] = own + 2*dot(w[k*c+k+1:(k+1)*c], cov[k*c+k+1:(k+1)*c])
	}
}

// ridge is the part of the mean variance that every channel is taken to vary by
// itself.
const ridge = 1e-3

// conditional: with the columns that stay in front, what is left of those removed
// given them has the covariance LLᵀ, L being the lower corner of the Cholesky
// factor of all, whatever stays.
func (e *errorModel) conditional(w, cov []float64, c int, steps []float64) {
	factorise(cov, c, e.p.env.Threads)
	e.left(w, cov, c, steps)
}

// left is conditional for the factor of the covariance.
func (*errorModel) left(w, cov []float64, c int, steps []float64) {
	col := make([]float64, c)
	for k := range c {
		for i := k; i < c; i++ {
			col[i] = cov[i*c+k]
		}
		for i := k; i < c; i++ {
			steps[k] += col[i] * dot(w[i*c+k:(i+1)*c], col[k:])
		}
	}
}

// factorise is the Cholesky factor of a covariance with a ridge.
func factorise(cov []float64, c, threads int) {
	mean := 0.0
	for i := range c {
		mean += cov[i*c+i] / float64(c)
	}
	mean = max(mean, math.SmallestNonzeroFloat32)
	for i := range c {
		cov[i*c+i] += ridge * mean
	}
	cholesky(cov, c, 1e-12*mean, threads)
}

// byLast are the numbers of the list, those with the largest in front.
func byLast(when []int) []int {
	out := make([]int, len(when))
	for i := range out {
		out[i] = i
	}
	sortBy(out, func(i int) float64 { return -float64(when[i]) })
	return out
}

func permuted(a []float64, order []int) []float64 {
	c := len(order)
	out := make([]float64, c*c)
	for i, from := range order {
		for j, k := range order {
			out[i*c+j] = a[from*c+k]
		}
	}
	return out
}

// gramOf are the products of all pairs of columns.
func gramOf(cols [][]float32) []float64 {
	c := len(cols)
	out := make([]float64, c*c)
	for i, a := range cols {
		for j, b := range cols[:i+1] {
			s := float64(dot(a, b))
			out[i*c+j], out[j*c+i] = s, s
		}
	}
	return out
}

// covariance is that of what r reads; of independent channels where nothing was
// seen, and about 0 instead of the mean where nothing makes up for the mean. Of few
// rows, what channels have in common is taken for chance in part.
func (e *errorModel) covariance(ctx context.Context, r *reader) ([]float64, error) {
	c := len(r.link.Units)
	out := make([]float64, c*c)
	v := e.p.source(r.in, c)
	mean, variance := e.p.moments(v)
	if len(mean) != c {
		mean, variance = make([]float64, c), slices.Repeat([]float64{1}, c)
	}
	for i, x := range variance {
		out[i*c+i] = x
	}
	if g := e.p.view.of(v); g != nil && g.channels == c {
		x := g.centred(mean)
		xx, err := product(ctx, e.p.view.smp.run, x, x, g.n())
		if err != nil {
			return nil, err
		}
		common := 1 / float64(g.n()+c)
		for i, v := range xx {
			if i/c != i%c {
				out[i] = float64(v) * common
			}
		}
	}
	if e.p.view.doubtful() {
		level(out, c)
	}
	if e.repair == "none" {
		for i := range out {
			out[i] += mean[i/c] * mean[i%c]
		}
	}
	return out, nil
}

// level moves variances half way to their mean: what made-up samples leave still may
// not be so for others.
func level(cov []float64, c int) {
	mean := 0.0
	for i := range c {
		mean += cov[i*c+i] / float64(c)
	}
	for i := range c {
		cov[i*c+i] = doubt*mean + (1-doubt)*cov[i*c+i]
	}
}

// doubt is how far: found on networks whose statistics are known.
const doubt = 0.5
