package pass

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// norm is a batch-norm with its parameters: γ(x - μ)/√(σ² + ε) + β per channel.
type norm struct {
	node                        *ir.Node
	gamma, beta, mean, std, dev []float64 // dev is √(σ² + ε)
	from                        [4]*tensor.Tensor
}

// norm reads a batch-norm in inference mode, or says what prevents it.
func (w *work) norm(n *ir.Node) (*norm, string) {
	version := w.m.Opset("")
	switch {
	case len(n.In) != 5 || len(n.Out) == 0 || n.Out[0] == nil:
		return nil, "it does not have the operands of a batch-norm"
	case n.Int("training_mode", 0) != 0, version < 7 && version > 0 && n.Int("is_test", 0) == 0, len(n.Out) > 1 && w.trains(n):
		return nil, "it normalises by the statistics of the batch (training mode)"
	case n.Int("spatial", 1) == 0:
		return nil, "it has statistics for every element (spatial=0)"
	}
	var x [4][]float64
	var from [4]*tensor.Tensor
	for i := range from {
		v := n.In[i+1]
		if !w.constant(v) {
			return nil, fmt.Sprintf("its parameter %s is computed", quoted(v))
		}
		from[i] = v.Const
	}
	if b := w.norms[n]; b != nil && b.from == from {
		return b, ""
	}
	for i := range x {
		v := n.In[i+1]
		if x[i] = tensor.Float64s(v.Const); len(x[i]) != len(x[0]) || !finite(x[i]) {
			return nil, fmt.Sprintf("its parameter %s is not finite", quoted(v))
		}
	}
	eps := float64(n.Float("epsilon", 1e-5))
	b := &norm{node: n, gamma: x[0], beta: x[1], mean: x[2], from: from}
	for _, v := range x[3] {
		b.std = append(b.std, math.Sqrt(max(v, 0)))
		b.dev = append(b.dev, math.Sqrt(v+eps))
		if d := b.dev[len(b.dev)-1]; !(d > 0) {
			return nil, fmt.Sprintf("its variance %s is negative or zero", quoted(n.In[4]))
		}
	}
	w.norms[n] = b
	return b, ""
}

// trains reports whether a result beyond the first is wanted.
func (w *work) trains(n *ir.Node) bool {
	for _, v := range n.Out[1:] {
		if v != nil {
			return true
		}
	}
	return false
}

// affine is what the batch-norm does.
func (b *norm) affine() affine {
	a := identityMap(len(b.gamma))
	for c := range a.scale {
		a.scale[c] = b.gamma[c] / b.dev[c]
		a.offset[c] = b.beta[c] - b.mean[c]*a.scale[c]
	}
	return a
}

// stats are mean and deviation of the result.
func (b *norm) stats() *ir.Stats {
	s := &ir.Stats{Axis: 1, Mean: b.beta, Source: "batch-norm " + b.node.Label()}
	for _, g := range b.gamma {
		s.Std = append(s.Std, math.Abs(g))
	}
	return s
}

func batchNormLayer(w *work, n *ir.Node, v *ir.Value, _ int) (*layer, string) {
	b, why := w.norm(n)
	if b == nil {
		return nil, fmt.Sprintf("%v: %s", n, why)
	}
	if v != n.In[0] && v != n.Out[0] {
		return nil, fmt.Sprintf("%v reads it as a parameter", n)
	}
	c := len(b.gamma)
	return &layer{node: n, out: n.Out[0], inAxis: 1, outAxis: 1, inC: c, outC: c, diagonal: true, biased: true, rewrite: b.rewrite}, ""
}

// rewrite is layer.rewrite. The mean goes into the shift where the operand
// changes, since a scale of zero would lose it.
func (b *norm) rewrite(e *edit, in, out affine) string {
	gamma, beta, mean := make([]float64, len(b.gamma)), make([]float64, len(b.gamma)), make([]float64, len(b.gamma))
	changed := !in.isIdentity()
	for c := range gamma {
		gamma[c] = out.scale[c] * b.gamma[c] * in.scale[c]
		beta[c] = b.beta[c]
		if changed {
			beta[c] += b.gamma[c] * (in.offset[c] - b.mean[c]) / b.dev[c]
		}
		beta[c] = out.scale[c]*beta[c] + out.offset[c]
	}
	lists := map[int][]float64{1: gamma, 2: beta}
	if changed {
		lists[3] = mean
	}
	for i := 1; i <= len(lists); i++ {
		v := b.node.In[i]
		t, ok := stored(v.Const.Type, v.Const.Shape, lists[i])
		if !ok {
			return fmt.Sprintf("parameters of %v would not fit %v", b.node, v.Const.Type)
		}
		e.setConst(b.node, i, t)
	}
	return ""
}

// scaleLayer is a multiplication with, or division by, a constant per channel.
func scaleLayer(w *work, n *ir.Node, v *ir.Value, axis int) (*layer, string) {
	k, factors := w.factors(n, v, axis)
	if factors == nil {
		return nil, ""
	}
	c := len(factors)
	l := &layer{node: n, operand: 1 - k, out: n.Out[0], inAxis: axis, outAxis: axis, inC: c, outC: c, diagonal: true}
	l.rewrite = func(e *edit, in, out affine) string {
		change := identityMap(c)
		offset := make([]float64, c)
		for i, f := range factors {
			change.scale[i] = in.scale[i] * out.scale[i]
			offset[i] = out.scale[i]*f*in.offset[i] + out.offset[i]
		}
		if n.Op == "Div" {
			if !finite(change.inverse().scale) {
				return fmt.Sprintf("%v would divide by a scale of zero", n)
			}
			change = change.inverse()
		}
		t, ok := change.applyTo(n.In[k].Const, w.types[n.In[1-k]].Rank()-1-axis)
		if !ok {
			return fmt.Sprintf("the constant of %v would not fit %v", n, n.In[k].Const.Type)
		}
		e.setConst(n, k, t)
		if (affine{change.scale, offset}).moves() {
			return e.addBehind(n.Out[0], axis, offset)
		}
		return ""
	}
	return l, ""
}

// factors returns what n multiplies each channel along axis of its data by, and the
// operand that says so; nil where it does something else.
func (w *work) factors(n *ir.Node, v *ir.Value, axis int) (operand int, list []float64) {
	if len(n.In) != 2 || n.In[0] == nil || n.In[1] == nil || len(n.Out) != 1 {
		return 0, nil
	}
	k := 1
	if n.Op == "Mul" && w.constant(n.In[0]) {
		k = 0
	}
	x := n.In[1-k]
	typ := w.types[x]
	if !w.constant(n.In[k]) || w.constant(x) || !w.sameRankAndAxis(x, n.Out[0], axis) {
		return 0, nil
	}
	c := n.In[k].Const
	list, ok := perChannel(c, typ.Rank()-1-axis, typ.Shape[axis].N)
	if !ok || c.Rank() > typ.Rank() || !finite(list) || v == n.In[k] {
		return 0, nil
	}
	if n.Op == "Div" {
		for i := range list {
			list[i] = 1 / list[i]
		}
	}
	return k, list
}

// sameRankAndAxis reports whether x and y have the same rank and the same known
// size along axis.
func (w *work) sameRankAndAxis(x, y *ir.Value, axis int) bool {
	a, b := w.types[x], w.types[y]
	return a.Ranked && b.Ranked && len(a.Shape) == len(b.Shape) && axis < len(a.Shape) &&
		a.Shape[axis].IsKnown() && a.Shape[axis] == b.Shape[axis]
}

func quoted(v *ir.Value) string {
	if v == nil {
		return "(none)"
	}
	return fmt.Sprintf("%q", v.Name)
}
