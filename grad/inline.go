package grad

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// composites are operators written as others before rules are looked up; a function
// returns false where the node does more than it covers.
var composites = map[[2]string]func(p *parts) bool{
	{microsoft, "Attention"}:                        (*parts).selfAttention,
	{microsoft, "BiasGelu"}:                         (*parts).biasGelu,
	{microsoft, "FastGelu"}:                         (*parts).fastGelu,
	{microsoft, "FusedConv"}:                        (*parts).fusedConv,
	{microsoft, "FusedGemm"}:                        (*parts).fusedGemm,
	{microsoft, "FusedMatMul"}:                      (*parts).fusedMatMul,
	{microsoft, "MultiHeadAttention"}:               (*parts).multiHead,
	{microsoft, "SkipLayerNormalization"}:           (*parts).skipNorm,
	{microsoft, "SkipSimplifiedLayerNormalization"}: (*parts).skipRMS,
}

// inlineComposites replaces them in the graph of a model.
func inlineComposites(m *ir.Model) {
	g := m.Graph
	if !slices.ContainsFunc(g.Nodes, func(n *ir.Node) bool { return composites[[2]string{n.Domain, n.Op}] != nil }) {
		return
	}
	_, _ = op.Infer(m) // what it cannot know stays as it is
	p := &parts{g: g}
	for _, n := range g.Nodes {
		f := composites[[2]string{n.Domain, n.Op}]
		p.n, p.made = n, nil
		if f == nil || !f(p) {
			p.all = append(p.all, n)
			continue
		}
		p.all = append(p.all, p.made...)
	}
	g.Nodes = p.all
	g.Bind()
}

// parts collects the nodes that replace n.
type parts struct {
	g         *ir.Graph
	n         *ir.Node
	made, all []*ir.Node
	names     int
}

// in is operand i of the node, nil where it is left out.
func (p *parts) in(i int) *ir.Value {
	if i < len(p.n.In) {
		return p.n.In[i]
	}
	return nil
}

// wants reports whether result i is there.
func (p *parts) wants(i int) bool { return i < len(p.n.Out) && p.n.Out[i] != nil }

func (p *parts) name() string {
	p.names++
	return fmt.Sprintf("%s_part%d", p.n.Name, p.names)
}

// node adds a node of the standard operator set.
func (p *parts) node(name string, attrs []ir.Attr, in ...*ir.Value) *ir.Value {
	v := &ir.Value{Name: p.name()}
	p.to(v, name, attrs, in...)
	return v
}

// to is node with the result given.
func (p *parts) to(v *ir.Value, name string, attrs []ir.Attr, in ...*ir.Value) {
	p.made = append(p.made, &ir.Node{Name: v.Name, Op: name, In: in, Out: []*ir.Value{v}, Attrs: attrs})
}

// plus is x + y, x where there is no y.
func (p *parts) plus(x, y *ir.Value) *ir.Value {
	if y == nil {
		return x
	}
	return p.node("Add", nil, x, y)
}

func (p *parts) biasGelu() bool {
	p.to(p.n.Out[0], "Gelu", nil, p.plus(p.in(0), p.in(1)))
	return true
}

func (p *parts) fastGelu() bool {
	p.to(p.n.Out[0], "Gelu", []ir.Attr{{Name: "approximate", Value: "tanh"}}, p.plus(p.in(0), p.in(1)))
	return true
}

// fusedOps are the activations of fused operators that need no parameters.
var fusedOps = []string{"Relu", "Sigmoid", "Tanh", "Softplus", "Softsign"}

func (p *parts) fusedConv() bool {
	act := p.n.Str("activation", "")
	if act != "" && !slices.Contains(fusedOps, act) {
		return false
	}
	attrs := ir.WithoutAttr(ir.WithoutAttr(p.n.Attrs, "activation"), "activation_params")
	x := p.plus(p.node("Conv", attrs, p.n.In[:min(3, len(p.n.In))]...), p.in(3))
	if act == "" {
		act = "Identity"
	}
	p.to(p.n.Out[0], act, nil, x)
	return true
}

func (p *parts) fusedGemm() bool {
	act := p.n.Str("activation", "")
	if !slices.Contains(fusedOps, act) {
		return false
	}
	var attrs []ir.Attr
	for _, a := range p.n.Attrs {
		if slices.Contains([]string{"alpha", "beta", "transA", "transB"}, a.Name) {
			attrs = append(attrs, a)
		}
	}
	p.to(p.n.Out[0], act, nil, p.node("Gemm", attrs, p.n.In...))
	return true
}

// fusedMatMul transposes the last two axes of its sides, whose ranks must be known.
func (p *parts) fusedMatMul() bool {
	side := [2]*ir.Value{p.in(0), p.in(1)}
	for i, name := range []string{"A", "B"} {
		if p.n.Int("transBatch"+name, 0) != 0 {
			return false
		}
		if p.n.Int("trans"+name, 0) == 0 {
			continue
		}
		rank := side[i].Type.Rank()
		if rank < 2 {
			return false
		}
		side[i] = p.node("Transpose", []ir.Attr{ir.IntsAttr("perm", swapped(rank)...)}, side[i])
	}
	x := p.node("MatMul", nil, side[0], side[1])
	p.to(p.n.Out[0], "Mul", nil, x, p.number(p.n.Float("alpha", 1)))
	return true
}

// swapped is the permutation that exchanges the last two axes.
func swapped(rank int) []int {
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = i
	}
	perm[rank-2], perm[rank-1] = rank-1, rank-2
	return perm
}

// number is a constant.
func (p *parts) number(x float32) *ir.Value {
	v := ir.NewConst(p.name(), tensor.Scalar(x))
	p.g.Consts = append(p.g.Consts, v)
	return v
}

// multiHead is attention of operands that lie apart, without padding and caches.
func (p *parts) multiHead() bool {
	if p.in(1) == nil || p.in(2) == nil || p.in(3) != nil || p.in(4) != nil || p.in(6) != nil || p.in(7) != nil || p.wants(1) || p.wants(2) {
		return false
	}
	p.attend([]*ir.Value{p.in(0), p.in(1), p.in(2)}, p.in(5))
	return true
}

// selfAttention is attention of one input projected to queries, keys and values,
// without padding and caches.
func (p *parts) selfAttention() bool {
	w := p.in(1)
	if p.in(3) != nil || p.in(4) != nil || p.wants(1) || p.n.Int("do_rotary", 0) != 0 {
		return false
	}
	sizes := p.n.Ints("qkv_hidden_sizes")
	if shape, ok := w.Type.Sizes(); ok && len(shape) == 2 && sizes == nil {
		sizes = []int{shape[1] / 3, shape[1] / 3, shape[1] / 3}
	}
	if len(sizes) != 3 {
		return false
	}
	cut := ir.NewConst(p.name(), tensor.Of([]int{3}, []int64{int64(sizes[0]), int64(sizes[1]), int64(sizes[2])}))
	p.g.Consts = append(p.g.Consts, cut)
	three := []*ir.Value{{Name: p.name()}, {Name: p.name()}, {Name: p.name()}}
	p.made = append(p.made, &ir.Node{Name: p.name(), Op: "Split", In: []*ir.Value{p.plus(p.node("MatMul", nil, p.in(0), w), p.in(2)), cut},
		Out: three, Attrs: []ir.Attr{{Name: "axis", Value: int64(-1)}}})
	p.attend(three, p.in(5))
	return true
}

// attend adds attention of queries, keys and values with what is added to their
// products, or nil.
func (p *parts) attend(qkv []*ir.Value, bias *ir.Value) {
	heads := int64(p.n.Int("num_heads", 0))
	attrs := []ir.Attr{{Name: "q_num_heads", Value: heads}, {Name: "kv_num_heads", Value: heads},
		{Name: "is_causal", Value: int64(p.n.Int("unidirectional", 0))}}
	if s := p.n.Float("scale", 0); s != 0 {
		attrs = append(attrs, ir.Attr{Name: "scale", Value: s})
	}
	if bias != nil {
		qkv = append(slices.Clip(qkv), bias)
	}
	p.to(p.n.Out[0], "Attention", attrs, qkv...)
}

func (p *parts) skipNorm() bool {
	return p.skip("LayerNormalization", p.in(4), p.in(2), p.in(3))
}

func (p *parts) skipRMS() bool {
	return p.skip("SimplifiedLayerNormalization", p.in(3), p.in(2))
}

// skip normalises the sum of operands 0, 1 and the bias.
func (p *parts) skip(norm string, bias *ir.Value, operands ...*ir.Value) bool {
	if p.wants(1) || p.wants(2) {
		return false
	}
	sum := &ir.Value{Name: p.name()}
	if p.wants(3) {
		sum = p.n.Out[3]
	}
	p.to(sum, "Add", nil, p.plus(p.in(0), bias), p.in(1))
	for operands[len(operands)-1] == nil {
		operands = operands[:len(operands)-1]
	}
	p.to(p.n.Out[0], norm, []ir.Attr{{Name: "epsilon", Value: p.n.Float("epsilon", 1e-12)}}, append([]*ir.Value{sum}, operands...)...)
	return true
}
