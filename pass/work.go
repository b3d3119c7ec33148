package pass

import (
	"context"
	"fmt"
	"slices"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// work is a model being rewritten, with what is known of it.
type work struct {
	ctx context.Context
	m   *ir.Model
	g   *ir.Graph
	o   Options

	inf   *op.Inference
	types map[*ir.Value]ir.Type
	stale bool
	norms map[*ir.Node]*norm // as they were last read
}

func newWork(ctx context.Context, m *ir.Model, o Options) *work {
	return &work{ctx: ctx, m: m, g: m.Graph, o: o, stale: true, norms: map[*ir.Node]*norm{}}
}

// learn brings types and known elements up to date. They follow from inputs,
// known sizes of outputs, and constants alone: what a file declares of values in
// between may be left over from another batch size, and what has a default may be
// overridden.
func (w *work) learn() error {
	if !w.stale {
		return nil
	}
	declared := map[*ir.Value]ir.Type{}
	for v := range allValues(w.g) {
		declared[v] = v.Type
	}
	defaults := map[*ir.Value]*tensor.Tensor{}
	for _, v := range w.g.Inputs {
		if v.Const != nil && !w.constant(v) {
			defaults[v], v.Const = v.Const, nil
		}
	}
	w.doubtSymbols()
	inf, err := op.InferWith(w.m, op.InferOptions{Redo: true})
	for v, t := range defaults {
		v.Const = t
	}
	if err != nil {
		return err
	}
	w.inf, w.types, w.stale = inf, map[*ir.Value]ir.Type{}, false
	for v, t := range declared {
		w.types[v], v.Type = v.Type, t
	}
	return nil
}

// doubtSymbols keeps from the inference what names of open dimensions say of more
// than one axis: exporters write [batch,batch] for [batch,sequence]. Names count
// per axis then, and those of outputs not at all.
func (w *work) doubtSymbols() {
	reused := map[string]bool{}
	for _, v := range w.g.Inputs {
		for i, d := range v.Type.Shape {
			reused[d.Sym] = reused[d.Sym] || slices.Contains(v.Type.Shape[:i], d)
		}
	}
	rename := func(v *ir.Value, name func(i int, d ir.Dim) ir.Dim) {
		v.Type.Shape = slices.Clone(v.Type.Shape)
		for i, d := range v.Type.Shape {
			if !d.IsKnown() {
				v.Type.Shape[i] = name(i, d)
			}
		}
	}
	for _, v := range w.g.Inputs {
		rename(v, func(i int, d ir.Dim) ir.Dim {
			if d.Sym != "" && reused[d.Sym] {
				return ir.Symbol(fmt.Sprintf("%s of axis %d", d.Sym, i))
			}
			return d
		})
	}
	for _, v := range w.g.Outputs {
		if !slices.Contains(w.g.Inputs, v) {
			rename(v, func(int, ir.Dim) ir.Dim { return ir.Unknown })
		}
	}
}

// allValues yields the values of g and its sub-graphs.
func allValues(g *ir.Graph) func(yield func(*ir.Value) bool) {
	return func(yield func(*ir.Value) bool) { eachValue(g, yield) }
}

func eachValue(g *ir.Graph, yield func(*ir.Value) bool) bool {
	for v := range g.Values {
		if !yield(v) {
			return false
		}
	}
	for _, n := range g.Nodes {
		for _, s := range n.Subgraphs() {
			if !eachValue(s, yield) {
				return false
			}
		}
	}
	return true
}

// apply applies a patch.
func (w *work) apply(p *ir.Patch) error {
	if p.Empty() {
		return nil
	}
	w.stale = true
	return p.Apply()
}

// constant reports whether v is a constant that no caller can override. Before
// version 4 of the format every constant had to be listed as an input, too.
func (w *work) constant(v *ir.Value) bool {
	if v == nil || v.Const == nil {
		return false
	}
	return 0 < w.m.IRVersion && w.m.IRVersion < 4 || !slices.Contains(w.g.Inputs, v)
}

// standard reports whether n is the operator called name of the standard set
// and not a function of the model that has its name.
func (w *work) standard(n *ir.Node, name string) bool {
	return n != nil && n.Op == name && w.plain(n)
}

// plain reports whether n is an operator of the standard set.
func (w *work) plain(n *ir.Node) bool {
	return ir.CanonicalDomain(n.Domain) == "" && w.m.Function(n) == nil
}

// used reports whether anything reads v.
func (w *work) used(v *ir.Value) bool { return len(v.Uses()) > 0 || w.g.IsOutput(v) }

// onlyUse reports whether node n is all that reads v.
func (w *work) onlyUse(v *ir.Value, n *ir.Node) bool {
	for _, u := range v.Uses() {
		if u.Node != n || u.In < 0 {
			return false
		}
	}
	return !w.g.IsOutput(v)
}

// onlyResult reports whether all results of n but the first are unused.
func (w *work) onlyResult(n *ir.Node) bool {
	for i, v := range n.Out {
		if (i > 0) == (v != nil && w.used(v)) {
			return false
		}
	}
	return len(n.Out) > 0
}

// replaceable reports whether readers of old may read by instead: results of
// the graph keep their names, which not every value can take.
func (w *work) replaceable(old, by *ir.Value) bool {
	return !w.g.IsOutput(old) || !w.g.IsOutput(by) && !slices.Contains(w.g.Inputs, by) && by.Const == nil
}

// ints returns operand i as known integers.
func (w *work) ints(n *ir.Node, i int) ([]int, bool) {
	if i >= len(n.In) || n.In[i] == nil || w.inf == nil {
		return nil, false
	}
	if v := n.In[i]; v.Const != nil && !w.constant(v) {
		return nil, false
	}
	return w.inf.Ints(n.In[i])
}

// listed returns a list that is an attribute in old versions of an operator and
// operand i in newer ones; nil where neither is there.
func (w *work) listed(n *ir.Node, name string, i int) (list []int, ok bool) {
	if n.Has(name) {
		return n.Ints(name), true
	}
	if i >= len(n.In) || n.In[i] == nil {
		return nil, true
	}
	return w.ints(n, i)
}

// sameShape reports whether a and b certainly have the same shape.
func (w *work) sameShape(a, b *ir.Value) bool {
	s, t := w.types[a], w.types[b]
	if s.Kind != ir.KindTensor || t.Kind != ir.KindTensor || !s.Ranked || !t.Ranked {
		return false
	}
	return slices.EqualFunc(s.Shape, t.Shape, ir.Dim.Same)
}

// sameType is sameShape for shape and element type.
func (w *work) sameType(a, b *ir.Value) bool {
	return w.sameShape(a, b) && w.types[a].DType == w.types[b].DType && w.types[a].DType != tensor.Undefined
}

// axisOf counts axis from the front, ok is false outside the rank.
func axisOf(axis, rank int) (int, bool) {
	if axis < 0 {
		axis += rank
	}
	return axis, axis >= 0 && axis < rank
}
