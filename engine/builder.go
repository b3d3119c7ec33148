package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// builder lowers the graph of one specialisation.
type builder struct {
	p       *Program
	s       *special
	m       *ir.Model
	inf     *op.Inference
	vals    map[*ir.Value]*value
	done    map[*ir.Node]bool   // lowered, or absorbed by an earlier step
	alive   map[*ir.Node]bool   // reached from an output
	home    map[*ir.Value]place // see planHomes
	owner   map[*ir.Node]*buf
	steps   []*step
	pending []func() error           // packs weights
	lastBox map[int]int              // the step that reads a box last
	powers  map[*ir.Node]*powerGrid  // by first node
	powerOf map[*ir.Value]*powerGrid // by result
}

// value is what the builder knows of a value of the graph: its type and where
// it lies. A real value may lie in several places at once: in C order (plain),
// with channels last, as a view of other memory with a distance for every axis,
// in a box.
type value struct {
	t           tensor.DType
	shape       []int // nil when not known before running
	plain, last place
	view        place
	steps       []int // of the view
	coded       *coded
	sum         []*coded // it is the sum of these
	parts       []*coded // these are its channels
	box         int      // -1: none
	cst         *tensor.Tensor
	// unpadded and pads stand for a value that only a convolution reads: zeros
	// around the pixels of another, before and after each spatial axis.
	unpadded *ir.Value
	pads     []int
	gated    *gated // where it is left to a convolution
}

func newBuilder(p *Program, m *ir.Model, inf *op.Inference) *builder {
	b := &builder{p: p, s: &special{model: m}, m: m, inf: inf, vals: map[*ir.Value]*value{},
		done: map[*ir.Node]bool{}, alive: map[*ir.Node]bool{}, home: map[*ir.Value]place{}, owner: map[*ir.Node]*buf{}, lastBox: map[int]int{},
		powers: map[*ir.Node]*powerGrid{}, powerOf: map[*ir.Value]*powerGrid{}}
	return b
}

// val returns what is known of v.
func (b *builder) val(v *ir.Value) *value {
	if x := b.vals[v]; x != nil {
		return x
	}
	x := &value{t: v.Type.DType, box: -1, cst: v.Const}
	if v.Const != nil {
		x.t = v.Const.Type
	}
	x.shape = shapeOf(v)
	b.vals[v] = x
	return x
}

func shapeOf(v *ir.Value) []int {
	if v.Const != nil {
		return v.Const.Shape
	}
	shape, ok := v.Type.Sizes()
	if !ok {
		return nil
	}
	if shape == nil {
		shape = []int{}
	}
	return shape
}

// graph lowers all nodes.
func (b *builder) graph(ctx context.Context) error {
	g := b.m.Graph
	for _, v := range g.Inputs {
		b.input(v)
	}
	b.reach()
	if !b.p.o.Reference {
		b.planHomes()
		b.findPowerGrids()
	}
	for _, n := range g.Nodes {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if b.done[n] || !b.alive[n] {
			continue
		}
		b.done[n] = true
		if err := b.node(ctx, n); err != nil {
			return err
		}
	}
	for _, v := range g.Outputs {
		b.output(v)
	}
	return nil
}

// input makes an external buffer of a real input and a box of any other.
func (b *builder) input(v *ir.Value) {
	x := b.val(v)
	src := source{name: v.Name, ext: -1, box: -1}
	if isReal(x.t) && v.Type.Kind == ir.KindTensor && !b.p.o.Reference {
		src.ext = b.s.ext
		b.s.ext++
		x.plain = place{b: &buf{floats: tensor.Len(x.shape), ext: src.ext}}
	} else {
		src.box = b.newBox()
		x.box = src.box
	}
	b.s.inputs = append(b.s.inputs, src)
}

// reach marks the nodes that outputs depend on.
func (b *builder) reach() {
	need := map[*ir.Value]bool{}
	for _, v := range b.m.Graph.Outputs {
		need[v] = true
	}
	for _, n := range slices.Backward(b.m.Graph.Nodes) {
		if !slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return v != nil && need[v] }) {
			continue
		}
		b.alive[n] = true
		for _, v := range n.In {
			need[v] = true
		}
		for _, s := range n.Subgraphs() {
			for _, v := range s.Captures() {
				need[v] = true
			}
		}
	}
}

// node lowers one node: to nothing where it is constant, by its row, or to the
// reference.
func (b *builder) node(ctx context.Context, n *ir.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.AtNode(n, fmt.Errorf("cannot be compiled: %v\n%s", p, debug.Stack()))
		}
	}()
	if b.p.o.Reference {
		return b.reference(n)
	}
	if done, err := b.constant(ctx, n); done || err != nil {
		return err
	}
	if b.static(n) && b.m.Function(n) == nil {
		if b.integer(n) || b.powers[n] != nil && b.encode(n) {
			return nil
		}
		for _, v := range n.In {
			if v != nil && !is(n, "QuantizeLinear") {
				b.realise(v)
			}
		}
		if b.forms(n) {
			return nil
		}
		if r := b.row(n); r != nil && r.lower(b, n) {
			return nil
		}
	}
	return b.reference(n)
}

// row finds the row of n that applies to the model's operator sets.
func (b *builder) row(n *ir.Node) *row {
	r := rows[opName{ir.CanonicalDomain(n.Domain), n.Op}]
	if r == nil || r.since > 0 && b.m.Opset("") < r.since {
		return nil
	}
	return r
}

// maxRank is the largest rank that steps deal with.
const maxRank = 16

// static reports whether the first result and all operands are tensors of known
// shapes and have elements, but not absurdly many, which rows rely on. Operands that are left out are
// fine.
func (b *builder) static(n *ir.Node) bool {
	if len(n.Out) == 0 || n.Out[0] == nil {
		return false
	}
	ok := func(v *ir.Value) bool {
		x := b.val(v)
		n, err := tensor.CheckedLen(x.shape)
		return x.shape != nil && len(x.shape) <= maxRank && err == nil && n > 0 && n <= op.DefaultMaxBytes/4 && (v.Const != nil || v.Type.Kind == ir.KindTensor)
	}
	for i, v := range n.In {
		if v != nil && !ok(v) && (i == 0 || b.val(v).cst == nil) {
			return false
		}
	}
	for _, v := range n.Out {
		if v != nil && !ok(v) {
			return false
		}
	}
	return true
}

// real reports whether all the values are real tensors.
func (b *builder) real(vs ...*ir.Value) bool {
	for _, v := range vs {
		if v == nil || !isReal(b.val(v).t) {
			return false
		}
	}
	return true
}

// cst is v's constant, nil where it is none.
func (b *builder) cst(v *ir.Value) *tensor.Tensor {
	if v == nil {
		return nil
	}
	return b.val(v).cst
}

// scalar is the value of a real constant of one element.
func (b *builder) scalar(v *ir.Value) (float32, bool) {
	t := b.cst(v)
	if t == nil || t.Len() != 1 || !isReal(t.Type) {
		return 0, false
	}
	return tensor.Float32s(t)[0], true
}

// ints are the elements of an integer constant.
func (b *builder) ints(v *ir.Value) ([]int, bool) {
	t := b.cst(v)
	if t == nil || t.Type != tensor.Int64 && t.Type != tensor.Int32 {
		return nil, false
	}
	out := make([]int, t.Len())
	for i, x := range tensor.Float64s(t) {
		out[i] = int(x)
	}
	return out, true
}

// only returns the one node that reads v and may therefore absorb or be
// absorbed; nil where v is read elsewhere, too, or is an output.
func (b *builder) only(v *ir.Value) *ir.Node {
	uses := v.Uses()
	if len(uses) != 1 || uses[0].In < 0 || b.m.Graph.IsOutput(v) {
		return nil
	}
	n := uses[0].Node
	if b.done[n] || !b.alive[n] || len(n.Out) == 0 || n.Out[0] == nil || len(n.Out) > 1 || b.m.Function(n) != nil {
		return nil
	}
	return n
}

// is reports whether n is the standard operator op.
func is(n *ir.Node, name string) bool {
	return n != nil && n.Op == name && ir.CanonicalDomain(n.Domain) == ""
}

// absorb marks nodes as computed by the step being emitted.
func (b *builder) absorb(nodes ...*ir.Node) {
	for _, n := range nodes {
		b.done[n] = true
	}
}

// emit adds a step.
func (b *builder) emit(s *step) {
	at := len(b.steps)
	for _, m := range s.reads {
		m.last = max(m.last, at)
	}
	for _, m := range s.writes {
		if m.first < 0 {
			m.first = at
		}
		m.last = max(m.last, at)
	}
	if s.bytes == 0 {
		for _, m := range append(slices.Clone(s.reads), s.writes...) {
			s.bytes += 4 * int64(m.floats)
		}
	}
	if !s.integer && !b.p.o.Reference {
		s.floats = b.floatReason(s.node)
	}
	b.steps = append(b.steps, s)
}
