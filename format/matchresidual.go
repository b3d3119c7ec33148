package format

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// maxOrders bounds the terms of an expansion that is recognised.
const maxOrders = 16

// matchSum recognises the sum of a decoded constant and a dense term, or the
// inlined function that adds a term on rows.
func matchSum(m *ir.Model, n *ir.Node) (*Encoded, bool) {
	if len(n.In) != 2 || n.In[0] == nil || n.In[1] == nil {
		return nil, false
	}
	if standard(n.In[1].Producer(), "Mul") {
		if e, ok := matchRows(m, n, nil, nil); ok {
			return e, true
		}
	}
	// The term first: it is no sum itself, so a chain of sums is walked once.
	if standard(n.In[1].Producer(), "Add") {
		return nil, false
	}
	term, ok := MatchWeight(m, n.In[1])
	if !ok || term.Orders != nil {
		return nil, false
	}
	return extend(m, n.In[0], Order{Encoded: term, Axis: term.Spec.Axis})
}

// IsTerm reports whether v is decoded for nothing but a sum that MatchWeight
// recognises: who decodes the sum need not decode v.
func IsTerm(m *ir.Model, v *ir.Value) bool {
	uses := v.Uses()
	if len(uses) != 1 || uses[0].Node == nil || len(uses[0].Node.Out) != 1 {
		return false
	}
	n := uses[0].Node
	if !standard(n, "Add") && m.Function(n) == nil {
		return false
	}
	e, ok := MatchWeight(m, n.Out[0])
	return ok && e.Orders != nil
}

// extend recognises sum and adds a term that has its shape.
func extend(m *ir.Model, sum *ir.Value, o Order) (*Encoded, bool) {
	e, ok := MatchWeight(m, sum)
	if !ok || len(e.Orders) >= maxOrders || o.Codes.Rank() != e.Codes.Rank() {
		return nil, false
	}
	for axis, d := range e.Codes.Shape {
		if o.Codes.Shape[axis] != d && (o.Rows == nil || axis != o.Axis) {
			return nil, false
		}
	}
	if o.Rows != nil && o.Rows[len(o.Rows)-1] >= e.Codes.Shape[o.Axis] {
		return nil, false
	}
	return e.Extend(o), true
}

// matchRows recognises Add(x, Mul(Gather(Add(DequantizeLinear(codes, 1), offset),
// Cast(place)), scale)); call is the node that calls the function of which this
// is the body, nil where it was inlined.
func matchRows(m *ir.Model, add *ir.Node, bind map[*ir.Value]*ir.Value, call *ir.Node) (*Encoded, bool) {
	if len(add.In) != 2 || add.In[0] == nil {
		return nil, false
	}
	mul := producer(add.In[1], "Mul", 2)
	if mul == nil {
		return nil, false
	}
	gather := producer(mul.In[0], "Gather", 2)
	if gather == nil {
		return nil, false
	}
	level, cast := producer(gather.In[0], "Add", 2), producer(gather.In[1], "Cast", 1)
	if level == nil || cast == nil {
		return nil, false
	}
	decode, offset := producer(level.In[0], "DequantizeLinear", 2), constant(level.In[1], bind)
	if decode == nil || offset == nil || offset.Type != tensor.Float32 || offset.Len() != 1 || len(decode.In) > 2 || !isOne(constant(decode.In[1], bind)) || !wholeIndex(cast) {
		return nil, false
	}
	sum := add.In[0]
	if bind != nil {
		sum = bind[sum]
	}
	codes, scale, place := constant(decode.In[0], bind), constant(mul.In[1], bind), constant(cast.In[0], bind)
	axis := attrOf(gather, "axis", call)
	if sum == nil || codes == nil || scale == nil || place == nil || !isCodeType(codes.Type) || scale.Type != tensor.Float32 {
		return nil, false
	}
	o, ok := newRows(codes, scale, place, axis)
	if o.Offset = tensor.Data[float32](offset)[0]; !ok || (o.Offset != 0 && o.Offset != 0.5) {
		return nil, false
	}
	return extend(m, sum, o)
}

// newRows verifies what is placed where: one scale per index along the axis,
// and every row of codes in one place, in order.
func newRows(codes, scale, place *tensor.Tensor, axis int) (Order, bool) {
	o := Order{Encoded: &Encoded{Codes: codes}, Axis: axis}
	if axis < 0 || axis >= codes.Rank() || scale.Rank() != codes.Rank() || place.Rank() != 1 ||
		scale.Len() != place.Len() || scale.Shape[axis] != scale.Len() || !place.Type.IsInt() {
		return o, false
	}
	var scales []float32
	at := tensor.Float64s(place)
	for i, s := range tensor.Data[float32](scale) {
		if s == 0 && at[i] == 0 {
			continue
		}
		if at[i] != float64(len(o.Rows)) || !(s > 0) {
			return o, false
		}
		o.Rows, scales = append(o.Rows, i), append(scales, s)
	}
	if len(o.Rows) != codes.Shape[axis] || len(o.Rows) == 0 {
		return o, false
	}
	o.Scale = tensor.Of([]int{len(scales)}, scales)
	if o.Spec.Grain, o.Spec.Axis = PerChannel, axis; len(o.Rows) == place.Len() {
		o.Rows = nil
	}
	return o, o.setWidth()
}

// attrOf is an integer attribute of n, or of the call where n refers to it.
func attrOf(n *ir.Node, name string, call *ir.Node) int {
	for _, a := range n.Attrs {
		if a.Name != name {
			continue
		}
		if ref, ok := a.Value.(ir.Ref); ok && call != nil {
			return call.Int(ref.Name, -1)
		}
	}
	return n.Int(name, 0)
}

func isOne(t *tensor.Tensor) bool {
	return t != nil && t.Type == tensor.Float32 && t.Len() == 1 && tensor.Data[float32](t)[0] == 1
}

// wholeIndex: the Cast gives indices of 32 or 64 bits.
func wholeIndex(cast *ir.Node) bool {
	return slices.Contains([]int{int(tensor.Int32), int(tensor.Int64)}, cast.Int("to", 0))
}

// setCodebook takes the levels as those of a codebook. Codes beyond them are no
// match.
func (e *Encoded) setCodebook() bool {
	codes, err := codesOf(e.Codes)
	n := len(e.Levels)
	if err != nil || n < 2 || n > 256 {
		return false
	}
	for _, c := range codes {
		if int(c) >= n {
			return false
		}
	}
	e.Spec = Spec{Kind: Codebook, Grain: e.Spec.Grain, Axis: e.Spec.Axis, Bits: 2}
	for 1<<e.Spec.Bits < n {
		e.Spec.Bits++
	}
	e.Spec.Wide = e.Codes.Type.Bits() == 8 && e.Spec.Bits <= 4
	e.Spec.Top = wholeTop(e.Levels)
	return true
}

// wholeTop is the largest magnitude of levels that are integers, 0 of others.
func wholeTop(levels []float32) int {
	top := float32(0)
	for _, l := range levels {
		if l != float32(int32(l)) {
			return 0
		}
		top = max(top, l, -l)
	}
	return int(top)
}
