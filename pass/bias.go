package pass

import (
	"context"
	"slices"

	"pare/ir"
	"pare/op"
)

// AbsorbBiases merges, in place, additions and subtractions of constants per
// channel into the bias of the layer before them, or into the constant that
// was added just before. It returns how many it merged. Run Simplify first.
func AbsorbBiases(ctx context.Context, m *ir.Model) (int, error) {
	w := newWork(ctx, m, Options{})
	count := 0
	for _, n := range slices.Clone(m.Graph.Nodes) {
		if err := context.Cause(ctx); err != nil {
			return count, err
		}
		if err := w.learn(); err != nil {
			return count, err
		}
		done, err := w.absorb(n)
		if err != nil {
			return count, err
		}
		if done {
			count++
		}
	}
	if _, err := dead(w); err != nil {
		return count, err
	}
	_, err := op.Infer(m)
	return count, err
}

// absorb removes n when it adds a constant to the result of a layer.
func (w *work) absorb(n *ir.Node) (bool, error) {
	k, v := w.addition(n)
	if v == nil || !w.onlyUse(v, n) || v.Producer() == nil || !w.replaceable(n.Out[0], v) {
		return false, nil
	}
	rank := w.types[v].Rank()
	for axis := range rank {
		l, _ := w.layer(v.Producer(), v, axis)
		if l == nil && !w.addsConstant(v.Producer()) || w.size(v, axis) < 0 {
			continue
		}
		c := w.size(v, axis)
		list, ok := perChannel(n.In[k].Const, rank-1-axis, c)
		if !ok || !w.sameType(v, n.Out[0]) {
			continue
		}
		change := affine{identityMap(c).scale, list}
		if n.Op == "Sub" {
			for i := range list {
				list[i] = -list[i]
			}
		}
		if e := w.edit("absorb " + n.String()); w.absorbInto(e, v.Producer(), l, change, rank-1-axis) {
			e.p.Replace(n.Out[0], v)
			if n.Out[0].Stats != nil {
				e.p.SetStats(v, n.Out[0].Stats)
			} else {
				e.p.SetStats(v, changedStats(v.Stats, axis, change))
			}
			e.p.RemoveNode(n)
			return true, w.apply(e.p)
		}
	}
	return false, nil
}

// absorbInto changes the bias of layer l, or the constant that n adds.
func (w *work) absorbInto(e *edit, n *ir.Node, l *layer, change affine, fromEnd int) bool {
	if l != nil {
		return l.biased && l.rewrite(e, identityMap(l.inC), change) == ""
	}
	k, _ := w.addition(n)
	t, ok := change.applyTo(n.In[k].Const, fromEnd)
	if ok {
		e.setConst(n, k, t)
	}
	return ok
}

// addition returns the constant operand of an Add, or a Sub that it is subtracted
// in, and the other operand; nil for other nodes.
func (w *work) addition(n *ir.Node) (constant int, v *ir.Value) {
	if !w.standard(n, "Add") && !w.standard(n, "Sub") || len(n.In) != 2 {
		return 0, nil
	}
	for k := 1; k >= 0; k-- {
		if w.constant(n.In[k]) && !w.constant(n.In[1-k]) && (k == 1 || n.Op == "Add") {
			return k, n.In[1-k]
		}
	}
	return 0, nil
}

func (w *work) addsConstant(n *ir.Node) bool {
	_, v := w.addition(n)
	return v != nil && n.Op == "Add"
}
