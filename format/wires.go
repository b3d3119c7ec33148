package format

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// PowerQuantizeOp is the name of the function that finds codes on power grids.
const PowerQuantizeOp = "PowerQuantizeLinear"

// Wires adds the grids of a graph's activations to a patch. Power grids that
// differ in scale alone share their tables.
type Wires struct {
	m      *ir.Model
	p      *ir.Patch
	tables map[Activation]*Wire // by grid with scale 0
}

// NewWires starts a set of grids for the model that p is about.
func NewWires(m *ir.Model, p *ir.Patch) *Wires {
	return &Wires{m: m, p: p, tables: map[Activation]*Wire{}}
}

// Wire adds the constants of a grid, and to the model the functions that a power
// grid needs. Names derive from base.
func (s *Wires) Wire(base string, a Activation) *Wire {
	if a.Exponent == 0 {
		return NewWire(s.p, base, a)
	}
	key := a
	key.Scale = 0
	t := s.tables[key]
	if t == nil {
		addFunction(s.m, PowerOp, powerFunction)
		addFunction(s.m, PowerQuantizeOp, powerQuantizeFunction)
		codes, levels := a.Tables()
		t = &Wire{codes: s.p.Const(base+"_table", codes), levels: s.p.Const(base+"_levels", levels)}
		s.tables[key] = t
	}
	c := a.coder()
	return &Wire{
		Activation: a, codes: t.codes, levels: t.levels, scale: s.p.Const(base+"_scale", tensor.Scalar(a.Scale)),
		factor: s.p.Const(base+"_factor", tensor.Scalar(c.factor)), offset: s.p.Const(base+"_offset", tensor.Scalar(c.offset)),
	}
}

func (w *Wire) emitPower(p *ir.Patch, v *ir.Value) *ir.Value {
	call := func(name, op string, t tensor.DType, in []*ir.Value, attrs ...ir.Attr) *ir.Value {
		out := &ir.Value{Name: p.Unique(v.Name + name), Type: v.Type}
		out.Type.DType = t
		p.AddNode(&ir.Node{Name: out.Name, Op: op, Domain: Domain, In: in, Out: []*ir.Value{out}, Attrs: attrs})
		return out
	}
	codes := call("_codes", PowerQuantizeOp, tensor.Uint8, []*ir.Value{v, w.factor, w.offset, w.codes})
	return call("_decoded", PowerOp, tensor.Float32, []*ir.Value{codes, w.scale, w.levels}, exponentAttr(w.Exponent))
}

func exponentAttr(a float64) ir.Attr { return ir.Attr{Name: "exponent", Value: float32(a)} }

// powerQuantizeFunction computes Gather(table, Cast(Clip(x·factor + offset))): the
// code of the step of the range that x lies in.
func powerQuantizeFunction(sets []ir.Opset) *ir.Function {
	val := func(name string) *ir.Value { return &ir.Value{Name: name} }
	x, factor, offset, table := val("x"), val("factor"), val("offset"), val("table")
	first, last := val("first"), val("last")
	scaled, shifted, within, index, codes := val("scaled"), val("shifted"), val("within"), val("index"), val("codes")
	body := &ir.Graph{
		Name: PowerQuantizeOp, Inputs: []*ir.Value{x, factor, offset, table}, Outputs: []*ir.Value{codes},
		Nodes: []*ir.Node{
			bodyNode("Constant", first, []ir.Attr{{Name: "value", Value: tensor.Scalar(float32(0))}}),
			bodyNode("Constant", last, []ir.Attr{{Name: "value", Value: tensor.Scalar(float32(fine - 1))}}),
			bodyNode("Mul", scaled, nil, x, factor),
			bodyNode("Add", shifted, nil, scaled, offset),
			bodyNode("Clip", within, nil, shifted, first, last),
			bodyNode("Cast", index, []ir.Attr{{Name: "to", Value: int64(tensor.Int32)}}, within),
			bodyNode("Gather", codes, []ir.Attr{{Name: "axis", Value: int64(0)}}, table, index),
		},
	}
	body.Bind()
	return &ir.Function{
		Name: PowerQuantizeOp, Domain: Domain, Opsets: sets, Body: body,
		Doc: "Codes on a power grid (PowerQuant, arXiv:2301.09858). The range is cut into equal fine steps; " +
			"table holds the code of each. Powers are not computed, as runtimes round them differently.",
	}
}

func bodyNode(op string, out *ir.Value, attrs []ir.Attr, in ...*ir.Value) *ir.Node {
	return &ir.Node{Name: out.Name, Op: op, In: in, Out: []*ir.Value{out}, Attrs: attrs}
}

// MatchPowerActivation recognises v as the result of a pair of pare's functions,
// and returns what is quantised. It verifies the bodies of the functions and the
// tables; anything else is not a match.
func MatchPowerActivation(m *ir.Model, v *ir.Value) (a Activation, source *ir.Value, ok bool) {
	decode := calls(m, v, PowerOp, 3, powerFunction)
	if decode == nil {
		return a, nil, false
	}
	code := calls(m, decode.In[0], PowerQuantizeOp, 4, powerQuantizeFunction)
	if code == nil {
		return a, nil, false
	}
	scale, levels, table := decode.In[1].Const, decode.In[2].Const, code.In[3].Const
	factor, offset := code.In[1].Const, code.In[2].Const
	for _, c := range []*tensor.Tensor{scale, levels, factor, offset} {
		if c == nil || c.Type != tensor.Float32 || c.Len() == 0 {
			return a, nil, false
		}
	}
	a.Scale, a.Exponent = tensor.Data[float32](scale)[0], attributeExponent(decode.Float("exponent", 0))
	l := tensor.Data[float32](levels)
	for a.Bits = 2; 1<<a.Bits < len(l); a.Bits++ {
	}
	if table == nil || table.Type != tensor.Uint8 || a.Bits > 8 || !(a.Exponent > 0) || !(a.Scale > 0) {
		return a, nil, false
	}
	if top := int(max(l[len(l)-1], -l[0])); top != usualTop(a.Bits) {
		a.Top = top
	}
	at := int(tensor.Data[float32](offset)[0])
	if at < 0 || at >= table.Len() {
		return a, nil, false
	}
	a.Zero = tensor.Data[uint8](table)[at] // the code of 0
	for _, a.Rounding = range []Rounding{NearestLevel, PowerDomain} {
		if a.is(factor, offset, table, levels) {
			return a, code.In[0], true
		}
	}
	return a, nil, false
}

// is reports whether the constants of a pair are those of the grid.
func (a Activation) is(factor, offset, table, levels *tensor.Tensor) bool {
	c := a.coder()
	return tensor.Data[float32](factor)[0] == c.factor && tensor.Data[float32](offset)[0] == c.offset &&
		slices.Equal(tensor.Data[uint8](table), c.codes) && slices.Equal(tensor.Data[float32](levels), a.Levels())
}

// calls returns the node that computes v by a call of pare's function with all n
// operands, whose body is the one that pare writes.
func calls(m *ir.Model, v *ir.Value, op string, n int, body func([]ir.Opset) *ir.Function) *ir.Node {
	call := v.Producer()
	if call == nil || call.Domain != Domain || call.Op != op || len(call.In) != n || slices.Contains(call.In, nil) {
		return nil
	}
	f := m.Function(call)
	if f == nil || !sameBody(f.Body, body(nil).Body) {
		return nil
	}
	return call
}

// sameBody reports whether two bodies consist of the same nodes in the same
// order, names aside.
func sameBody(a, b *ir.Graph) bool {
	if len(a.Nodes) != len(b.Nodes) || len(a.Inputs) != len(b.Inputs) || len(a.Outputs) != 1 {
		return false
	}
	as := map[*ir.Value]*ir.Value{nil: nil}
	for i, v := range a.Inputs {
		as[v] = b.Inputs[i]
	}
	for i, n := range a.Nodes {
		o := b.Nodes[i]
		if n.Op != o.Op || ir.CanonicalDomain(n.Domain) != "" || len(n.In) != len(o.In) || len(n.Out) != 1 || n.Int("to", 0) != o.Int("to", 0) || n.Int("axis", 0) != o.Int("axis", 0) {
			return false
		}
		for k, v := range n.In {
			if as[v] != o.In[k] {
				return false
			}
		}
		if x, y := n.Tensor("value"), o.Tensor("value"); (x == nil) != (y == nil) || x != nil && !tensor.Equal(x, y) {
			return false
		}
		as[n.Out[0]] = o.Out[0]
	}
	return as[a.Outputs[0]] == b.Outputs[0]
}
