package prune

import (
	"errors"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/group"
	"pare/internal/fault"
	"pare/ir"
	"pare/tensor"
)

// coded is a constant in codes that a layer reads, its weights or its bias, while a
// change works on numbers in their place: those before the scales of weights, a
// bias as it is.
type coded struct {
	node    *ir.Node
	operand int
	name    string          // of the layer
	encoded *format.Encoded // nil for a bias, which is a list of 32-bit integers
	decoded *ir.Value       // what the layer read
	numbers *ir.Value       // the constant that stands in for it
	shape   []int
	kept    []int // positions along the axis of the scales that the change leaves
	summed  bool  // scales lie along channels that the layer reads
}

// numbersOf lets layers read numbers in place of their codes.
func numbersOf(m *ir.Model, layers []compress.Layer) (list []*coded, err error) {
	p := ir.NewPatch(m.Graph, "read codes")
	seen := map[*ir.Value]bool{}
	add := func(l *compress.Layer, operand int, e *format.Encoded, t *tensor.Tensor) {
		v := l.Node.In[operand]
		if seen[v] || v.Type.DType != tensor.Float32 || m.Graph.IsOutput(v) {
			return
		}
		seen[v] = true
		c := &coded{node: l.Node, operand: operand, name: l.Name, encoded: e, decoded: v, numbers: p.Const(v.Name+"_numbers", t), shape: t.Shape}
		p.Replace(v, c.numbers)
		list = append(list, c)
	}
	for i := range layers {
		l := &layers[i]
		if l.Encoded == nil {
			continue
		}
		if t, ok := whole(l.Encoded); ok {
			add(l, l.Operand, l.Encoded, t)
		}
		if t, ok := biasOf(l.Node); ok {
			add(l, biasOperand, nil, t)
		}
	}
	return list, p.Apply()
}

// restore lets layers read their codes again.
func restore(m *ir.Model, list []*coded) error {
	p := ir.NewPatch(m.Graph, "read codes again")
	for _, c := range list {
		p.Replace(c.numbers, c.decoded)
		p.RemoveConst(c.numbers)
	}
	return p.Apply()
}

// scaledAlong reports whether every position along an axis has a scale of its own.
func (c *coded) scaledAlong(axis int) bool {
	if c.encoded == nil {
		return true
	}
	s := c.encoded.Spec
	return s.Grain == format.PerChannel && s.Axis == axis
}

// spell adds to a key the scale and the zero point of a position along an axis.
func (c *coded) spell(key []byte, axis, pos int) []byte {
	if c == nil || c.encoded == nil || !c.scaledAlong(axis) {
		return key
	}
	e := c.encoded
	key = number(key, float64(tensor.Data[float32](e.Scale)[pos]))
	if e.Zero != nil {
		key = number(key, float64(tensor.Ints8(e.Zero)[pos]))
	}
	return key
}

// follow finds out what a change leaves of the scales.
func (c *coded) follow(a *group.Analysis, change *group.Change) {
	for _, l := range a.Links {
		if l.Value() != c.numbers || !c.scaledAlong(l.Axis) {
			continue
		}
		for pos, u := range l.Units {
			if change.Into[u] == u {
				c.kept = append(c.kept, pos)
			} else if l.Role == group.Column {
				c.summed = true
			}
		}
		return
	}
}

// encodeAgain stores what the change left in codes. Where a sum has none it names the
// groups that are to blame.
func encodeAgain(m *ir.Model, list []*coded, groups []*group.Group) (out map[string]*format.Encoded, failed []string, err error) {
	out = map[string]*format.Encoded{}
	p := ir.NewPatch(m.Graph, "store codes")
	for _, c := range list {
		now := c.node.In[c.operand]
		if now == c.numbers && slices.Equal(now.Const.Shape, c.shape) {
			p.Replace(now, c.decoded)
			p.RemoveConst(now)
			continue
		}
		by, e := c.emit(p, m, now.Const)
		if by == nil {
			blame := readBy(c.node, groups)
			if blame == nil {
				return nil, nil, fault.AtNode(c.node, errors.New("its codes cannot follow the channels that are merged"))
			}
			failed = append(failed, blame...)
			continue
		}
		p.Replace(now, by)
		p.RemoveConst(now)
		if e != nil {
			out[c.name] = e
		}
	}
	if failed != nil {
		return nil, failed, nil
	}
	if err := p.Apply(); err != nil {
		return nil, nil, err
	}
	for _, c := range list {
		if err := drop(m.Graph, c.decoded); err != nil {
			return nil, nil, err
		}
	}
	return out, nil, nil
}

// emit adds numbers in codes to the patch; nil where there are no codes for them.
func (c *coded) emit(p *ir.Patch, m *ir.Model, numbers *tensor.Tensor) (*ir.Value, *format.Encoded) {
	if c.encoded == nil {
		return c.emitBias(p), nil
	}
	e, ok := recode(c.encoded, numbers, c.kept)
	if !ok || c.summed {
		return nil, nil
	}
	return format.Emit(p, m, c.name+"_merged", e, tensor.Float32), e
}

// drop removes what computes a value that nothing reads any more.
func drop(g *ir.Graph, v *ir.Value) error {
	if v == nil || len(v.Uses()) > 0 || g.IsOutput(v) {
		return nil
	}
	n, p := v.Producer(), ir.NewPatch(g, "drop codes that were replaced")
	if n == nil {
		if v.Const == nil || slices.Contains(g.Inputs, v) {
			return nil
		}
		p.RemoveConst(v)
		return p.Apply()
	}
	if slices.ContainsFunc(n.Out, func(o *ir.Value) bool { return o != nil && (len(o.Uses()) > 0 || g.IsOutput(o)) }) {
		return nil
	}
	in := n.In
	p.RemoveNode(n)
	if err := p.Apply(); err != nil {
		return err
	}
	for _, x := range in {
		if err := drop(g, x); err != nil {
			return err
		}
	}
	return nil
}
