package pass

import (
	"strings"

	"pare/ir"
	"pare/tensor"
)

// edit is a patch that changes parameters of layers.
type edit struct {
	*work
	p *ir.Patch
	// moved maps results behind which an addition was put to its result.
	moved map[*ir.Value]*ir.Value
}

func (w *work) edit(why string) *edit {
	return &edit{work: w, p: ir.NewPatch(w.g, why), moved: map[*ir.Value]*ir.Value{}}
}

// at is the value that carries what v stands for after the edit.
func (e *edit) at(v *ir.Value) *ir.Value {
	if by := e.moved[v]; by != nil {
		return by
	}
	return v
}

// setConst gives constant operand i of n other contents: in place where nothing
// else reads it.
func (e *edit) setConst(n *ir.Node, i int, t *tensor.Tensor) {
	v := n.In[i]
	if len(v.Uses()) == 1 && !e.g.IsOutput(v) {
		e.p.SetConst(v, t)
		return
	}
	e.p.SetInput(n, i, e.p.Const(v.Name, t))
}

// newConst gives n an operand that it had not.
func (e *edit) newConst(n *ir.Node, i int, weight *ir.Value, t *tensor.Tensor) {
	base, ok := strings.CutSuffix(weight.Name, "weight")
	if !ok {
		base += "_"
	}
	e.p.SetInput(n, i, e.p.Const(base+"bias", t))
}

// addBehind makes the readers of v read v plus an offset per channel along axis.
func (e *edit) addBehind(v *ir.Value, axis int, offset []float64) string {
	typ := e.types[v]
	if !typ.Ranked {
		return "the rank of " + quoted(v) + ", to which an offset must be added, is not known"
	}
	shape := []int{len(offset)}
	for range typ.Rank() - 1 - axis {
		shape = append(shape, 1)
	}
	t, ok := stored(typ.DType, shape, offset)
	if !ok {
		return "an offset does not fit " + typ.DType.String()
	}
	out := e.p.Node(v.Name+"_bias", "Add", []*ir.Value{v, e.p.Const(v.Name+"_offset", t)})
	e.p.Replace(v, out)
	e.p.SetStats(v, nil)
	e.moved[v] = out
	return ""
}
