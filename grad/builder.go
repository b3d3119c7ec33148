package grad

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// rule is one row: how nodes of an operator become steps. Nodes come in the newest
// schema of their operator.
type rule struct {
	op, domain string
	lower      func(b *builder) error
}

// builder lowers one node.
type builder struct {
	*lowering
	node *ir.Node
}

// has reports whether operand i is present.
func (b *builder) has(i int) bool { return i < len(b.node.In) && b.node.In[i] != nil }

// shape is that of operand i.
func (b *builder) shape(i int) []int { return b.slots[b.node.In[i]].shape }

// dtype is the element type of operand i.
func (b *builder) dtype(i int) tensor.DType { return b.slots[b.node.In[i]].dtype }

// lies is the layout of operand i.
func (b *builder) lies(i int) layout { return b.slots[b.node.In[i]].lay }

// in is operand i in the layout asked for; nil when it is left out. Ranks below 3
// are always plain.
func (b *builder) in(i int, l layout) *slot {
	if !b.has(i) {
		return nil
	}
	return b.inLayout(b.slots[b.node.In[i]], l)
}

// constant is operand i where it is a constant and no parameter, else nil.
func (b *builder) constant(i int) *tensor.Tensor {
	if !b.has(i) {
		return nil
	}
	return b.slots[b.node.In[i]].fixed
}

// ints is operand i where its integers are known before running.
func (b *builder) ints(i int) ([]int, bool) {
	t := b.constant(i)
	if t == nil || !t.Type.IsInt() {
		return nil, false
	}
	list := make([]int, t.Len())
	for k, v := range tensor.Float64s(t) {
		list[k] = int(v)
	}
	return list, true
}

// out makes result i in the layout given.
func (b *builder) out(i int, l layout) *slot {
	v := b.node.Out[i]
	shape, ok := v.Type.Sizes()
	if !ok {
		panic(refusal{fmt.Errorf("the shape of %q does not follow from those of the inputs", v.Name)})
	}
	s := b.newSlot(v.Name, shape, l)
	s.dtype, s.value = v.Type.DType, v
	b.slots[v] = s
	return s
}

// wanted reports whether result i is read by anything.
func (b *builder) wanted(i int) bool { return i < len(b.node.Out) && b.node.Out[i] != nil }

// step makes a step; list results after they were made. Results want a gradient
// where an operand does and something asks for it.
func (b *builder) step(in, out []*slot) *step {
	s := newStep(b.node, in, out)
	for _, o := range out {
		o.wants = o.isFloat() && anyWants(in) && (o.value == nil || b.needed[o.value])
	}
	b.steps = append(b.steps, s)
	return s
}

func newStep(n *ir.Node, in, out []*slot) *step {
	k := len(in)
	return &step{node: n, in: in, out: out, dx: make([][]float32, k), adding: make([]bool, k), adds: make([]bool, k), same: make([]bool, k)}
}

func anyWants(list []*slot) bool {
	for _, s := range list {
		if s != nil && s.wants {
			return true
		}
	}
	return false
}

// wants reports whether backward of s has to set the gradient of operand i.
func (s *step) wants(i int) bool {
	return i < len(s.in) && s.in[i] != nil && s.in[i].wants && s.flows()
}

// flows reports whether a gradient reaches any result.
func (s *step) flows() bool { return anyWants(s.out) }

// refuse abandons the node with an error.
func refuse(format string, args ...any) { panic(refusal{fmt.Errorf(format, args...)}) }

type refusal struct{ error }
