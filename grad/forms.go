package grad

import (
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// forms are ways in which exporters write out one function as several nodes; each is
// tried at nodes of the operator, and makes the last node of the form the function.
// Types are known.
var forms = map[string][]func(f *former, n *ir.Node) bool{
	"ReduceMean": {(*former).layerNorm},
	"Div":        {(*former).gelu},
	"Mul":        {(*former).gelu, (*former).rms},
	"Pow":        {(*former).rms},
}

// former replaces forms in the graph of a model.
type former struct {
	m    *ir.Model
	gone map[*ir.Node]bool
}

// recognise replaces all forms.
func recognise(m *ir.Model) {
	f := &former{m, map[*ir.Node]bool{}}
	for _, n := range m.Graph.Nodes {
		if n.Domain != "" || f.gone[n] {
			continue
		}
		if slices.ContainsFunc(forms[n.Op], func(form func(*former, *ir.Node) bool) bool { return form(f, n) }) {
			m.Graph.Bind()
		}
	}
	m.Graph.Nodes = slices.DeleteFunc(slices.Clone(m.Graph.Nodes), func(n *ir.Node) bool { return f.gone[n] })
	m.Graph.Bind()
}

// only is the one node that reads v, nil where there are several or v is a result of
// the graph.
func (f *former) only(v *ir.Value) *ir.Node {
	if u := v.Uses(); len(u) == 1 && !f.m.Graph.IsOutput(v) {
		return u[0].Node
	}
	return nil
}

// then is only where it is the operator, with its operand that is not v.
func (f *former) then(v *ir.Value, name string) (*ir.Node, *ir.Value) {
	n := f.only(v)
	if n == nil || n.Op != name || n.Domain != "" {
		return nil, nil
	}
	return n, otherThan(n, v)
}

// otherThan is the operand of a node of two that is not v; v where both are.
func otherThan(n *ir.Node, v *ir.Value) *ir.Value {
	switch {
	case len(n.In) != 2:
		return nil
	case n.In[0] == v:
		return n.In[1]
	}
	return n.In[0]
}

// scalar is the number that v is.
func scalar(v *ir.Value) (float64, bool) {
	if v == nil || v.Const == nil || v.Const.Len() != 1 || !v.Const.Type.IsFloat() && !v.Const.Type.IsInt() {
		return 0, false
	}
	return tensor.Float64s(v.Const)[0], true
}

// isNumber reports whether v is a number near want.
func isNumber(v *ir.Value, want float64) bool {
	x, ok := scalar(v)
	return ok && math.Abs(x-want) <= 1e-3*math.Abs(want)
}

// become makes n another operator and lets the other nodes of its form go.
func (f *former) become(n *ir.Node, name string, attrs []ir.Attr, in []*ir.Value, others ...*ir.Node) bool {
	n.Op, n.Attrs, n.In = name, attrs, in
	for _, o := range others {
		if o != n {
			f.gone[o] = true
		}
	}
	return true
}

// gelu is x·(1 + erf(x/√2))/2 with the factors in any order.
func (f *former) gelu(n *ir.Node) bool {
	if len(n.In) != 2 {
		return false
	}
	x, o := n.In[0], n.In[1]
	if n.Op == "Mul" && x.Const != nil {
		x, o = o, x
	}
	if n.Op == "Div" && !isNumber(o, math.Sqrt2) || n.Op == "Mul" && !isNumber(o, math.Sqrt2/2) {
		return false
	}
	erf := f.only(n.Out[0])
	if erf == nil || erf.Op != "Erf" {
		return false
	}
	add, one := f.then(erf.Out[0], "Add")
	if add == nil || !isNumber(one, 1) {
		return false
	}
	first, a := f.then(add.Out[0], "Mul")
	if first == nil {
		return false
	}
	nodes := []*ir.Node{n, erf, add, first}
	if half := a.Producer(); half != nil && half.Op == "Mul" && f.only(a) == first && isNumber(otherThan(half, x), 0.5) && slices.Contains(half.In, x) {
		return f.become(first, "Gelu", nil, []*ir.Value{x}, append(nodes, half)...)
	}
	second, b := f.then(first.Out[0], "Mul")
	if second == nil || !(a == x && isNumber(b, 0.5) || b == x && isNumber(a, 0.5)) {
		return false
	}
	return f.become(second, "Gelu", nil, []*ir.Value{x}, nodes...)
}

// layerNorm is (x - mean)/√(mean((x - mean)²) + ε)·γ + β along the last axis.
func (f *former) layerNorm(n *ir.Node) bool {
	x := n.In[0]
	if !f.lastMean(n) {
		return false
	}
	sub, _ := f.then(n.Out[0], "Sub")
	if sub == nil || sub.In[0] != x {
		return false
	}
	d := sub.Out[0]
	square, div := f.squareAndDiv(d)
	if square == nil {
		return false
	}
	nodes, eps, root := f.rootMean(square)
	if root == nil || f.only(root.Out[0]) != div || div.In[0] != d || div.In[1] != root.Out[0] {
		return false
	}
	mul, gamma := f.then(div.Out[0], "Mul")
	if mul == nil || !f.isRow(gamma, x) {
		return false
	}
	attrs := []ir.Attr{{Name: "epsilon", Value: float32(eps)}}
	nodes = append(nodes, n, sub, square, div, mul)
	if add, beta := f.then(mul.Out[0], "Add"); add != nil && f.isRow(beta, x) && beta.Producer() == nil {
		return f.become(add, "LayerNormalization", attrs, []*ir.Value{x, gamma, beta}, nodes...)
	}
	return f.become(mul, "LayerNormalization", attrs, []*ir.Value{x, gamma}, nodes...)
}

// rms is x/√(mean(x²) + ε)·γ along the last axis, by division or by a reciprocal.
func (f *former) rms(square *ir.Node) bool {
	if len(square.In) != 2 || !isSquare(square, square.In[0]) {
		return false
	}
	x := square.In[0]
	nodes, eps, root := f.rootMean(square)
	if root == nil {
		return false
	}
	var scaled *ir.Node
	if div, o := f.then(root.Out[0], "Div"); div != nil && div.In[0] == x && o == x {
		scaled = div
	} else if div != nil && isNumber(div.In[0], 1) {
		scaled, o = f.then(div.Out[0], "Mul")
		nodes = append(nodes, div)
		if o != x {
			return false
		}
	} else if inv := f.only(root.Out[0]); inv != nil && inv.Op == "Reciprocal" {
		scaled, o = f.then(inv.Out[0], "Mul")
		nodes = append(nodes, inv)
		if o != x {
			return false
		}
	}
	if scaled == nil {
		return false
	}
	mul, gamma := f.then(scaled.Out[0], "Mul")
	if mul == nil || !f.isRow(gamma, x) {
		return false
	}
	return f.become(mul, "SimplifiedLayerNormalization", []ir.Attr{{Name: "epsilon", Value: float32(eps)}},
		[]*ir.Value{x, gamma}, append(nodes, square, scaled)...)
}

// rootMean follows √(mean(v) + ε) from the node that computes v; root is nil where it
// is something else.
func (f *former) rootMean(square *ir.Node) (nodes []*ir.Node, eps float64, root *ir.Node) {
	mean := f.only(square.Out[0])
	if mean == nil || mean.Op != "ReduceMean" || !f.lastMean(mean) {
		return nil, 0, nil
	}
	add, e := f.then(mean.Out[0], "Add")
	if add == nil {
		return nil, 0, nil
	}
	eps, ok := scalar(e)
	root = f.only(add.Out[0])
	if !ok || root == nil || root.Op != "Sqrt" {
		return nil, 0, nil
	}
	return []*ir.Node{mean, add, root}, eps, root
}

// isSquare reports whether n is d².
func isSquare(n *ir.Node, d *ir.Value) bool {
	return n.Op == "Pow" && n.In[0] == d && isNumber(n.In[1], 2) || n.Op == "Mul" && n.In[0] == d && n.In[1] == d
}

// squareAndDiv returns the two readers of d: one that squares it and a Div.
func (f *former) squareAndDiv(d *ir.Value) (square, div *ir.Node) {
	if f.m.Graph.IsOutput(d) {
		return nil, nil
	}
	for _, u := range d.Uses() {
		switch n := u.Node; {
		case isSquare(n, d) && (square == nil || square == n):
			square = n
		case n.Op == "Div" && div == nil:
			div = n
		default:
			return nil, nil
		}
	}
	if div == nil {
		return nil, nil
	}
	return square, div
}

// lastMean reports whether a ReduceMean is along the last axis, which it keeps.
func (f *former) lastMean(n *ir.Node) bool {
	axes := n.Ints("axes")
	if len(n.In) > 1 && n.In[1] != nil {
		if n.In[1].Const == nil {
			return false
		}
		axes = nil
		for _, a := range tensor.Float64s(n.In[1].Const) {
			axes = append(axes, int(a))
		}
	}
	rank := n.In[0].Type.Rank()
	return n.Int("keepdims", 1) != 0 && len(axes) == 1 && rank > 0 && (axes[0] == -1 || axes[0] == rank-1)
}

// isRow reports whether v has one element for each of the last axis of x, and no other
// axes.
func (f *former) isRow(v, x *ir.Value) bool {
	if v == nil {
		return false
	}
	row, ok := v.Type.Sizes()
	shape, known := x.Type.Sizes()
	return ok && known && len(row) > 0 && len(row) <= len(shape) && row[len(row)-1] == shape[len(shape)-1] && tensor.Len(row) == shape[len(shape)-1]
}
