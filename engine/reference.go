package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// newBox is a slot for a value outside the arena.
func (b *builder) newBox() int {
	b.s.boxes++
	return b.s.boxes - 1
}

// operand says where a reference finds one operand: a constant, a box, or
// elements in the arena that are copied into a tensor.
type operand struct {
	cst   *tensor.Tensor
	box   int
	from  place
	t     tensor.DType
	shape []int
}

func (b *builder) operand(v *ir.Value) *operand {
	if v == nil {
		return nil
	}
	x := b.val(v)
	if x.cst == nil && x.box < 0 {
		o := &operand{box: -1, from: b.plain(v), t: x.t, shape: x.shape}
		return o
	}
	return &operand{cst: x.cst, box: x.box}
}

func (o *operand) get(f *frame) (op.Val, error) {
	switch {
	case o == nil:
		return nil, nil
	case o.cst != nil:
		return o.cst, nil
	case o.box >= 0:
		return f.boxes[o.box], nil
	}
	return boxed(o.t, o.shape, f.at(o.from))
}

// reference emits a step that evaluates n by package op. Results lie in boxes.
func (b *builder) reference(n *ir.Node) error {
	st := &step{node: n, kernel: "reference", tasks: 1}
	in := make([]*operand, len(n.In))
	for i, v := range n.In {
		if v != nil && !b.has(v) {
			return fmt.Errorf("%v: operand %q is not available", n, v.Name)
		}
		in[i] = b.operand(v)
	}
	captured := map[*ir.Value]*operand{}
	for _, s := range n.Subgraphs() {
		for _, v := range s.Captures() {
			captured[v] = b.operand(v)
		}
	}
	for _, o := range slices.Concat(in, slices.Collect(maps.Values(captured))) {
		b.reads(st, o)
	}
	out := make([]int, len(n.Out))
	for i, v := range n.Out {
		out[i] = -1
		if v != nil {
			out[i] = b.newBox()
			b.val(v).box = out[i]
			b.lastBox[out[i]] = len(b.steps)
		}
	}
	st.serial = func(ctx context.Context, f *frame) error { return callReference(ctx, f, n, in, out, captured) }
	b.emit(st)
	return nil
}

// reads notes that the step to be emitted next reads an operand.
func (b *builder) reads(st *step, o *operand) {
	switch {
	case o == nil || o.cst != nil:
	case o.box >= 0:
		b.lastBox[o.box] = len(b.steps)
	default:
		st.reads = append(st.reads, o.from.b)
	}
}

func callReference(ctx context.Context, f *frame, n *ir.Node, in []*operand, out []int, captured map[*ir.Value]*operand) error {
	vals := make([]op.Val, len(in))
	for i, o := range in {
		var err error
		if vals[i], err = o.get(f); err != nil {
			return err
		}
	}
	res, err := f.interp.Node(ctx, n, vals, func(v *ir.Value) (op.Val, bool) {
		o, ok := captured[v]
		if !ok {
			return nil, false
		}
		x, err := o.get(f)
		return x, err == nil
	})
	if err != nil {
		return err
	}
	for i, at := range out {
		if at >= 0 {
			f.boxes[at] = res[i]
		}
	}
	return nil
}

// unbox copies a real value from its box into the arena.
func (b *builder) unbox(v *ir.Value, x *value) place {
	to := place{b: newBuf(tensor.Len(x.shape))}
	box, shape := x.box, x.shape
	b.lastBox[box] = len(b.steps)
	b.emit(&step{node: b.maker(v), kernel: "unbox", tasks: 1, writes: []*buf{to.b},
		serial: func(_ context.Context, f *frame) error {
			t, ok := f.boxes[box].(*tensor.Tensor)
			if !ok || !slices.Equal(t.Shape, shape) {
				return fmt.Errorf("value %q is %v, the model says %v", v.Name, f.boxes[box], shape)
			}
			copy(f.at(to), tensor.Float32s(t))
			return nil
		}})
	return to
}

// maxFolded bounds the elements of a constant that is made while compiling.
const maxFolded = 1 << 20

// constant evaluates a node all of whose operands are constant, or whose results
// inference knows.
func (b *builder) constant(ctx context.Context, n *ir.Node) (bool, error) {
	if b.knownElements(n) {
		return true, nil
	}
	in := make([]op.Val, len(n.In))
	for i, v := range n.In {
		if v == nil {
			continue
		}
		t := b.cst(v)
		if t == nil {
			return false, nil
		}
		in[i] = t
	}
	if d := op.Find(n.Domain, n.Op); d == nil || d.Random || b.m.Function(n) != nil || len(n.Subgraphs()) > 0 {
		return false, nil
	}
	for _, v := range n.Out {
		if v != nil && (shapeOf(v) == nil || tensor.Len(shapeOf(v)) > maxFolded) {
			return false, nil
		}
	}
	res, err := (&op.Interp{Model: b.m}).Node(ctx, n, in, nil)
	if err != nil {
		return false, err
	}
	for i, v := range n.Out {
		t, ok := res[i].(*tensor.Tensor)
		if v != nil && !ok {
			return false, nil
		}
		if v != nil {
			b.known(v, t)
		}
	}
	return true, nil
}

// known makes v the constant t.
func (b *builder) known(v *ir.Value, t *tensor.Tensor) {
	x := b.val(v)
	x.cst, x.t, x.shape = t, t.Type, t.Shape
	if x.shape == nil {
		x.shape = []int{}
	}
}

// knownElements makes constants of integer results that follow from shapes.
func (b *builder) knownElements(n *ir.Node) bool {
	if len(n.Out) != 1 || n.Out[0] == nil || op.Find(n.Domain, n.Op) == nil {
		return false
	}
	v := n.Out[0]
	shape := shapeOf(v)
	elems, ok := b.inf.Ints(v)
	if !ok || shape == nil || v.Type.DType != tensor.Int64 || tensor.Len(shape) != len(elems) {
		return false
	}
	list := make([]int64, len(elems))
	for i, e := range elems {
		list[i] = int64(e)
	}
	b.known(v, tensor.Of(shape, list))
	return true
}
