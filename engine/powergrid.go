package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// powerGrid is a power grid as package format writes it: the step that a number
// lies in, its code, the level of the code.
type powerGrid struct {
	factor, offset float32
	levels         []float32 // by step, in units of scale
	scale          float32
	nodes          []*ir.Node // the first one included
	out            *ir.Value
	// steps are the levels as codes, nil where they do not fit; they stand for
	// themselves, and begin at -zero.
	steps *kernel.Steps
	zero  int
}

// findPowerGrids matches power grids by their first node, and notes what they
// compute.
func (b *builder) findPowerGrids() {
	tables := map[string]*kernel.Steps{}
	for _, n := range b.m.Graph.Nodes {
		if b.alive[n] && is(n, "Mul") && b.static(n) && b.m.Opset("") >= 13 {
			if g := b.powerGridOf(n); g != nil {
				g.code(tables)
				b.powers[n], b.powerOf[g.out] = g, g
			}
		}
	}
}

// powerGridOf matches a grid that begins with n: the step that n.In[0] lies in,
// and the level of its code.
func (b *builder) powerGridOf(n *ir.Node) *powerGrid {
	g, table, next := b.fineSteps(n)
	if g == nil {
		return nil
	}
	decode := b.only(next)
	if !is(decode, "DequantizeLinear") || table.Type != tensor.Uint8 || len(decode.In) > 2 || !b.number(decode.In[1], 1) {
		return nil
	}
	codes, levels := b.indexed(decode.Out[0])
	if codes == nil || levels.Rank() != 1 || levels.Type != tensor.Float32 {
		return nil
	}
	mul := b.only(codes[1].Out[0])
	if !is(mul, "Mul") || mul.In[0] != codes[1].Out[0] {
		return nil
	}
	var ok bool
	if g.scale, ok = b.scalar(mul.In[1]); !ok {
		return nil
	}
	for _, c := range tensor.Data[uint8](table) {
		if int(c) >= levels.Len() {
			return nil
		}
		g.levels = append(g.levels, tensor.Data[float32](levels)[c])
	}
	g.nodes, g.out = append(g.nodes, decode, codes[0], codes[1], mul), mul.Out[0]
	return g
}

// fineSteps matches the first half of a grid, which looks up the code of a step
// in a table.
func (b *builder) fineSteps(n *ir.Node) (g *powerGrid, table *tensor.Tensor, code *ir.Value) {
	if len(n.In) != 2 || b.val(n.In[0]).t != tensor.Float32 {
		return nil, nil, nil
	}
	factor, ok := b.scalar(n.In[1])
	add := b.only(n.Out[0])
	if !ok || !is(add, "Add") || add.In[0] != n.Out[0] {
		return nil, nil, nil
	}
	offset, ok := b.scalar(add.In[1])
	clip := b.only(add.Out[0])
	if !ok || !is(clip, "Clip") {
		return nil, nil, nil
	}
	first, last, ok := b.limits(clip)
	steps, table := b.indexed(clip.Out[0])
	if !ok || steps == nil || first != 0 || table.Rank() != 1 || int(last) != table.Len()-1 {
		return nil, nil, nil
	}
	return &powerGrid{factor: factor, offset: offset, nodes: []*ir.Node{n, add, clip, steps[0], steps[1]}}, table, steps[1].Out[0]
}

// code makes codes of levels that are integers in a range of 256 with 0 in it,
// and that the grid leaves as they are. Grids of the same levels share a table.
func (g *powerGrid) code(tables map[string]*kernel.Steps) {
	least, most := float32(0), float32(0)
	for _, l := range g.levels {
		least, most = min(least, l), max(most, l)
	}
	if !(most-least <= 255) || !(g.scale > 0) || !(g.factor > 0) {
		return
	}
	values := make([]byte, len(g.levels))
	for i, l := range g.levels {
		values[i] = byte(l - least)
		if l != float32(int(l)) || g.level(l*g.scale) != l {
			return
		}
	}
	if tables[string(values)] == nil {
		tables[string(values)] = kernel.NewSteps(values)
	}
	g.steps, g.zero = tables[string(values)], int(-least)
}

// level is the level of x.
func (g *powerGrid) level(x float32) float32 {
	u := float32(x*g.factor) + g.offset
	return g.levels[int(max(0, min(u, float32(len(g.levels)-1))))]
}

// grid is the grid that codes lie on.
func (g *powerGrid) grid() codeGrid {
	return codeGrid{t: tensor.Uint8, step: g.scale, zero: g.zero, hi: 255, steps: g.steps, factor: g.factor, offset: g.offset}
}

// powerGridForm computes a grid on floats.
func powerGridForm(b *builder, n *ir.Node) bool {
	g := b.powers[n]
	if g == nil {
		return false
	}
	f := &kernel.Lookup{Factor: g.factor, Offset: g.offset}
	for _, l := range g.levels {
		f.Values = append(f.Values, l*g.scale)
	}
	b.absorb(g.nodes...)
	b.unary(n, "fake quantize power", n.In[0], g.out, f.Run)
	return true
}

// indexed follows v to a Cast to integers and a Gather by them from a constant,
// and returns both nodes and the constant; nil where others follow.
func (b *builder) indexed(v *ir.Value) ([]*ir.Node, *tensor.Tensor) {
	cast := b.only(v)
	if !is(cast, "Cast") || cast.Int("to", 0) != int(tensor.Int32) {
		return nil, nil
	}
	gather := b.only(cast.Out[0])
	if !is(gather, "Gather") || gather.In[1] != cast.Out[0] || gather.Int("axis", 0) != 0 || b.cst(gather.In[0]) == nil {
		return nil, nil
	}
	return []*ir.Node{cast, gather}, b.cst(gather.In[0])
}
