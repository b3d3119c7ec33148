package engine

import (
	"context"
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/op"
	"pare/tensor"
)

// elementwise are operators whose result at an element is a function of the
// operands there.
var elementwise = func() map[string]bool {
	set := map[string]bool{}
	for _, name := range []string{
		"Abs", "Add", "Ceil", "Celu", "Clip", "Cos", "Div", "DequantizeLinear", "Elu", "Erf", "Exp", "Floor", "Gelu",
		"HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Max", "Min", "Mish", "Mul", "Neg", "PRelu", "Pow",
		"QuantizeLinear", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sin", "Softplus", "Softsign", "Sqrt", "Sub",
		"Tanh", "ThresholdedRelu",
	} {
		set[name] = true
	}
	return set
}()

// maxMapped is how many nodes a function of codes may have.
const maxMapped = 16

// codeFunc is a function of one value, element by element, whose result comes to
// a grid: of codes it is a table.
type codeFunc struct {
	of    *ir.Value
	nodes []*ir.Node // in an order in which they can be computed
	v     *ir.Value  // the result before its encoder
	out   *encoder
	alone bool // nothing else reads the value
}

// funcOf finds the function with the most nodes that is computed of v, start
// among them, or nil: what lies between is read by nothing else.
func (b *builder) funcOf(v *ir.Value, start *ir.Node) *codeFunc {
	if b.val(v).t != tensor.Float32 || !b.mapped(start, v) {
		return nil
	}
	nodes := b.needed(start, v, nil, maxMapped)
	inside := []*ir.Value{v}
	var best *codeFunc
	for nodes != nil && len(nodes) <= maxMapped {
		inside = inside[:1]
		for _, n := range nodes {
			inside = append(inside, n.Out[0])
		}
		if w, alone := b.openEnd(inside, nodes); w != nil {
			if e, ok := b.encoderOf(b.only(w)); ok && b.val(w).t == tensor.Float32 {
				best = &codeFunc{of: v, nodes: slices.Clone(nodes), v: w, out: e, alone: alone}
			}
		}
		nodes = b.furtherMapped(inside, nodes)
	}
	return best
}

// furtherMapped adds a node that reads a result of the nodes, and what else it
// needs; nil where there is none.
func (b *builder) furtherMapped(inside []*ir.Value, nodes []*ir.Node) []*ir.Node {
	for _, v := range inside[1:] {
		for _, u := range v.Uses() {
			if u.In < 0 || b.done[u.Node] || slices.Contains(nodes, u.Node) {
				continue
			}
			if more := b.needed(u.Node, inside[0], nodes, maxMapped); more != nil {
				return more
			}
		}
	}
	return nil
}

// needed adds a node, behind the nodes that it needs, to a list of nodes that
// compute element by element from v and numbers; nil where it does not, or where
// v is more than so many nodes away.
func (b *builder) needed(n *ir.Node, v *ir.Value, nodes []*ir.Node, deep int) []*ir.Node {
	if deep == 0 || len(nodes) > maxMapped || !b.mapped(n, v) {
		return nil
	}
	for _, x := range n.In {
		if x == nil || x == v || b.cst(x) != nil && b.cst(x).Len() == 1 {
			continue
		}
		p := x.Producer()
		if b.cst(x) != nil || p == nil {
			return nil
		}
		if slices.Contains(nodes, p) {
			continue
		}
		if b.done[p] {
			return nil
		}
		if nodes = b.needed(p, v, nodes, deep-1); nodes == nil {
			return nil
		}
	}
	return append(slices.Clip(nodes), n)
}

// mapped reports whether a node computes element by element, in the shape of v.
func (b *builder) mapped(n *ir.Node, v *ir.Value) bool {
	if !elementwise[n.Op] || ir.CanonicalDomain(n.Domain) != "" || len(n.Out) != 1 || !b.alive[n] || b.powers[n] != nil || !b.static(n) {
		return false
	}
	t := b.val(n.Out[0]).t
	return (t == tensor.Float32 || t == tensor.Uint8 || t == tensor.Int8) && slices.Equal(b.val(n.Out[0]).shape, b.val(v).shape)
}

// openEnd is the one value behind the first that others than the nodes read, nil
// where there are more; alone reports whether nothing else reads the first.
func (b *builder) openEnd(inside []*ir.Value, nodes []*ir.Node) (end *ir.Value, alone bool) {
	for i, v := range inside {
		open := b.m.Graph.IsOutput(v) || slices.ContainsFunc(v.Uses(), func(u ir.Use) bool { return u.In < 0 || !slices.Contains(nodes, u.Node) })
		switch {
		case i == 0:
			alone = !open
		case open && end != nil:
			return nil, false
		case open:
			end = v
		}
	}
	return end, alone
}

// absorbs takes the nodes of the function and of the encoder that it ends with.
func (b *builder) absorbs(f *codeFunc) { b.absorb(append(slices.Clone(f.nodes), f.out.nodes...)...) }

// mapOf evaluates a function at all codes of a grid by the reference.
func (b *builder) mapOf(f *codeFunc, g codeGrid) (*kernel.CodeMap, error) {
	x := make([]float32, 256)
	for q := range x {
		x[q] = float32(q-g.zero) * g.step
	}
	vals := map[*ir.Value]op.Val{f.of: tensor.Of([]int{len(x)}, x)}
	for _, n := range f.nodes {
		res, err := (&op.Interp{Model: b.m}).Node(context.Background(), n, b.numbers(n, vals), nil)
		if err != nil {
			return nil, err
		}
		vals[n.Out[0]] = res[0]
	}
	var values [256]uint8
	to := coded{codeGrid: f.out.codeGrid, scales: f.out.scale()}
	to.quantize(values[:], tensor.Data[float32](vals[f.v].(*tensor.Tensor)))
	return kernel.NewCodeMap(values), nil
}

// numbers are the operands of a node, constants without axes.
func (b *builder) numbers(n *ir.Node, vals map[*ir.Value]op.Val) []op.Val {
	in := make([]op.Val, len(n.In))
	for i, v := range n.In {
		switch {
		case v == nil:
		case vals[v] != nil:
			in[i] = vals[v]
		default:
			in[i] = b.cst(v).Reshape()
		}
	}
	return in
}
