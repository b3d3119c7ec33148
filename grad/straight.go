package grad

import (
	"math"
	"slices"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// straighten puts FakeQuantize in the place of pairs of QuantizeLinear and
// DequantizeLinear with the same constants, and so lets gradients pass networks that
// are quantised already.
func straighten(g *ir.Graph) {
	for _, n := range g.Nodes {
		q := codedBy(n, "", "DequantizeLinear", "", "QuantizeLinear")
		if q == nil || !sameValue(n, 1, q, 1) || !sameValue(n, 2, q, 2) {
			continue
		}
		lo, hi, ok := codeRange(n, q)
		if !ok {
			continue
		}
		attrs := []ir.Attr{{Name: "lo", Value: int64(lo)}, {Name: "hi", Value: int64(hi)}}
		for _, name := range []string{"axis", "block_size"} {
			if v := n.Attr(name); v != nil {
				attrs = append(attrs, ir.Attr{Name: name, Value: v})
			}
		}
		in := []*ir.Value{q.In[0], q.In[1]}
		if len(q.In) > 2 && q.In[2] != nil {
			zero := ir.NewConst(n.Out[0].Name+"_zero", tensor.Of(q.In[2].Const.Shape, tensor.Float32s(q.In[2].Const)))
			g.Consts = append(g.Consts, zero)
			in = append(in, zero)
		}
		n.Op, n.Domain, n.In, n.Attrs = "FakeQuantize", op.TrainingDomain, in, attrs
	}
	g.Bind()
}

// straightenPowers does so with pairs of pare's functions for power grids, before
// functions are inlined.
func straightenPowers(g *ir.Graph) {
	for _, n := range g.Nodes {
		q := codedBy(n, "pare", "PowerDequantizeLinear", "pare", "PowerQuantizeLinear")
		if q == nil || len(q.In) != 4 || len(n.In) != 3 || !powerPair(q, n) {
			continue
		}
		n.Op, n.Domain, n.Attrs = "FakePowerQuantize", op.TrainingDomain, nil
		n.In = []*ir.Value{q.In[0], n.In[1], q.In[3], n.In[2]}
	}
	g.Bind()
}

// codedBy is the node that computes the codes that n decodes; nil unless both are what
// they should be.
func codedBy(n *ir.Node, domain, name, by, coder string) *ir.Node {
	if n.Op != name || n.Domain != domain || len(n.In) == 0 || n.In[0] == nil {
		return nil
	}
	q := n.In[0].Producer()
	if q == nil || q.Op != coder || q.Domain != by {
		return nil
	}
	return q
}

// sameValue reports whether operand i of a is operand k of b, or a constant like it.
func sameValue(a *ir.Node, i int, b *ir.Node, k int) bool {
	var x, y *ir.Value
	if i < len(a.In) {
		x = a.In[i]
	}
	if k < len(b.In) {
		y = b.In[k]
	}
	return x == y || x != nil && y != nil && x.Const != nil && y.Const != nil && tensor.Equal(x.Const, y.Const)
}

// codeRange is the range of the codes between q and n, where they are integers and the
// zero point is known.
func codeRange(n, q *ir.Node) (lo, hi int, ok bool) {
	t := tensor.DType(q.Int("output_dtype", int(tensor.Uint8)))
	if len(q.In) > 2 && q.In[2] != nil {
		if q.In[2].Const == nil {
			return 0, 0, false
		}
		t = q.In[2].Const.Type
	}
	if !t.IsInt() || t.Bits() > 16 || q.Has("precision") || n.Has("output_dtype") {
		return 0, 0, false
	}
	if t.IsUnsigned() {
		return 0, 1<<t.Bits() - 1, true
	}
	return -1 << (t.Bits() - 1), 1<<(t.Bits()-1) - 1, true
}

// powerPair reports whether the constants of a pair of functions are those that
// FakePowerQuantize has for its scale.
func powerPair(q, n *ir.Node) bool {
	for _, v := range append(slices.Clone(q.In[1:]), n.In[1:]...) {
		if v == nil || v.Const == nil {
			return false
		}
	}
	factor, offset, codes, scale := q.In[1].Const, q.In[2].Const, q.In[3].Const, n.In[1].Const
	if codes.Type != tensor.Uint8 || scale.Len() != 1 || factor.Len() != 1 || offset.Len() != 1 {
		return false
	}
	grid, err := op.NewPowerGrid(tensor.Data[uint8](codes), tensor.Float64s(n.In[2].Const))
	if err != nil {
		return false
	}
	f, o := grid.Line(tensor.Float64s(scale)[0])
	near := func(x float64, t *tensor.Tensor) bool {
		return math.Float32bits(float32(x)) == math.Float32bits(tensor.Float32s(t)[0])
	}
	return near(f, factor) && near(o, offset)
}
