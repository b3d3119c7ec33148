package calib

import (
	"math"

	"pare/ir"
	"pare/tensor"
)

// normForm is the rule of normalisation along the last axis as exporters write it
// out: (x - mean)/√(mean((x - mean)²) + ε), or without the mean. A channel has
// mean 0 and deviation 1; factors and shifts follow as nodes of their own.
func (w *walk) normForm(n *ir.Node) *state {
	if !isNormForm(n) {
		return nil
	}
	axis, channels := -1, 1
	if t := n.Out[0].Type; t.Ranked && len(t.Shape) > 0 {
		if d := t.Shape[len(t.Shape)-1]; d.IsKnown() && d.N > 0 {
			axis, channels = len(t.Shape)-1, d.N
		}
	}
	return w.normalFrom(n, axis, make([]float64, channels), filled(channels, 1), "normalisation "+n.Out[0].Name)
}

// isNormForm recognises the last node of the form: the quotient, or the product
// with the reciprocal.
func isNormForm(n *ir.Node) bool {
	if len(n.In) != 2 {
		return false
	}
	switch n.Op {
	case "Div":
		return isDeviation(n.In[1], n.In[0])
	case "Mul":
		return isReciprocalDeviation(n.In[1], n.In[0]) || isReciprocalDeviation(n.In[0], n.In[1])
	}
	return false
}

func isReciprocalDeviation(v, d *ir.Value) bool {
	switch n := made(v, "Reciprocal"); {
	case n != nil:
		return isDeviation(n.In[0], d)
	case made(v, "Div") != nil:
		return isNumber(v.Producer().In[0], 1) && isDeviation(v.Producer().In[1], d)
	}
	return false
}

// isDeviation reports whether v is √(mean(d²) + ε) along the last axis, and d
// either has its mean taken off or not.
func isDeviation(v, d *ir.Value) bool {
	root := made(v, "Sqrt")
	if root == nil {
		return false
	}
	square := root.In[0]
	if add := made(square, "Add"); add != nil && constOf(add.In[1]) != nil {
		square = add.In[0]
	} else if add != nil && constOf(add.In[0]) != nil {
		square = add.In[1]
	}
	mean := made(square, "ReduceMean")
	if mean == nil || !alongLast(mean) {
		return false
	}
	pow := mean.In[0].Producer()
	if pow == nil || len(pow.In) != 2 || !sameDifference(pow.In[0], d) {
		return false
	}
	if pow.Op == "Pow" && isNumber(pow.In[1], 2) || pow.Op == "Mul" && pow.In[1] == pow.In[0] {
		sub := made(d, "Sub")
		return sub == nil || !isMeanOf(sub.In[1], sub.In[0]) || alongLast(sub.In[1].Producer())
	}
	return false
}

// sameDifference reports whether two values are one, or differences of the same
// operands, as some exporters compute them twice.
func sameDifference(a, b *ir.Value) bool {
	x, y := made(a, "Sub"), made(b, "Sub")
	return a == b || x != nil && y != nil && x.In[0] == y.In[0] && x.In[1] == y.In[1]
}

func isMeanOf(v, x *ir.Value) bool {
	n := made(v, "ReduceMean")
	return n != nil && n.In[0] == x
}

// alongLast reports whether a ReduceMean is along the last axis alone.
func alongLast(n *ir.Node) bool {
	axes := axesOf(n)
	return len(axes) == 1 && (axes[0] == -1 || axes[0] == n.In[0].Type.Rank()-1)
}

// axesOf are the axes of a reduction, from the attribute or a constant operand.
func axesOf(n *ir.Node) []int {
	axes := n.Ints("axes")
	if axes == nil && len(n.In) > 1 && constOf(n.In[1]) != nil {
		for _, a := range tensor.Float64s(constOf(n.In[1])) {
			axes = append(axes, int(a))
		}
	}
	return axes
}

// made returns the standard operator op that computes v, nil where another does.
func made(v *ir.Value, op string) *ir.Node {
	if v == nil || v.Producer() == nil {
		return nil
	}
	n := v.Producer()
	if n.Op != op || ir.CanonicalDomain(n.Domain) != "" || len(n.In) == 0 || n.In[0] == nil {
		return nil
	}
	return n
}

func isNumber(v *ir.Value, want float64) bool {
	c := constOf(v)
	return c != nil && c.Len() == 1 && math.Abs(tensor.Float64s(c)[0]-want) < 1e-6
}
