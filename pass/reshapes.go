package pass

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// reshaping lists operators that give the elements of their first operand another
// shape and keep their order.
var reshaping = map[string]bool{"Reshape": true, "Flatten": true, "Squeeze": true, "Unsqueeze": true}

func (w *work) reshapes(n *ir.Node) bool {
	return n != nil && reshaping[n.Op] && w.plain(n) && len(n.In) > 0 && n.In[0] != nil
}

// mergeReshapes makes a reshape of a reshape one: a Reshape asks its shape of the
// first operand, and a chain that comes back to the shape it began with ends.
func mergeReshapes(w *work) (int, error) {
	count := 0
	for _, n := range slices.Clone(w.g.Nodes) {
		if !w.reshapes(n) {
			continue
		}
		origin := n.In[0]
		for w.reshapes(origin.Producer()) {
			origin = origin.Producer().In[0]
		}
		if origin == n.In[0] {
			continue
		}
		p := ir.NewPatch(w.g, "merge reshapes into "+n.String())
		switch {
		case w.sameType(origin, n.Out[0]) && w.replaceable(n.Out[0], origin):
			p.Replace(n.Out[0], origin)
			p.RemoveNode(n)
		case n.Op == "Reshape" && w.independent(n):
			p.SetInput(n, 0, origin)
		default:
			continue
		}
		if err := w.apply(p); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// independent reports whether the shape that n asks for does not refer to the
// dimensions of its operand.
func (w *work) independent(n *ir.Node) bool {
	want, ok := w.ints(n, 1)
	return ok && !slices.Contains(want, 0)
}

// constantRequests makes the shape operand of Reshape a constant where it is known
// but for one dimension, which the operator can find itself. This frees the
// arithmetic on the batch size that exporters write before every reshape.
func constantRequests(w *work) (int, error) {
	count := 0
	for _, n := range slices.Clone(w.g.Nodes) {
		if !w.standard(n, "Reshape") || len(n.In) < 2 || n.In[1] == nil || n.In[1].Const != nil {
			continue
		}
		shape, ok := w.request(n)
		if !ok {
			continue
		}
		p := ir.NewPatch(w.g, "leave a dimension to "+n.String())
		p.SetInput(n, 1, p.Const(n.In[1].Name, tensor.Of([]int{len(shape)}, shape)))
		if err := w.apply(p); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// request is the shape that n asks for with -1 for one dimension that is not
// known, and 0 for those that are certainly the operand's own.
func (w *work) request(n *ir.Node) ([]int64, bool) {
	elems, ok := w.inf.Data(n.In[1])
	if !ok || n.Int("allowzero", 0) != 0 {
		return nil, false
	}
	var have []ir.Dim
	if t := w.types[n.In[0]]; t.Ranked {
		have = t.Shape
	}
	shape := make([]int64, len(elems))
	open := 0
	for i, d := range elems {
		shape[i] = int64(d.N)
		if d.Sym == "" && d.N == -1 {
			open++
		}
	}
	for i, d := range elems {
		if d.Sym == "" {
			continue
		}
		switch {
		case i < len(have) && d.Same(have[i]):
			shape[i] = 0
		case open == 0:
			shape[i] = -1
			open++
		default:
			return nil, false
		}
	}
	return shape, true
}
