package grad

import (
	"context"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// lowerReference runs a node by the reference of package op. No gradient passes it.
func lowerReference(b *builder) error {
	in := map[*ir.Value]*slot{}
	var list []*slot
	for _, v := range operands(b.node) {
		if v != nil && b.slots[v] != nil && in[v] == nil {
			in[v] = b.inLayout(b.slots[v], plain)
			list = append(list, in[v])
		}
	}
	var out []*slot
	for i, v := range b.node.Out {
		switch {
		case v == nil:
			out = append(out, nil)
		case v.Type.DType.IsFloat():
			out = append(out, b.out(i, plain))
		default:
			s := &slot{name: v.Name, dtype: v.Type.DType, value: v}
			s.shape, _ = v.Type.Sizes()
			b.slots[v] = s
			out = append(out, s)
		}
	}
	for i, v := range b.node.Out {
		if v != nil && out[i].isFloat() && b.needed[v] && anyWants(list) {
			refuse("no gradient passes this operator at these shapes")
		}
	}
	st := newStep(b.node, list, out)
	st.eval = func(ctx context.Context) error { return b.evaluate(ctx, in, out) }
	b.steps = append(b.steps, st)
	return nil
}

// evaluate runs the node of b once.
func (b *builder) evaluate(ctx context.Context, in map[*ir.Value]*slot, out []*slot) error {
	list := make([]op.Val, len(b.node.In))
	for i, v := range b.node.In {
		if v != nil {
			list[i] = in[v].val()
		}
	}
	res, err := b.interp.Node(ctx, b.node, list, func(v *ir.Value) (op.Val, bool) {
		if s := in[v]; s != nil {
			return s.val(), true
		}
		return nil, false
	})
	if err != nil {
		return err
	}
	for i, s := range out {
		if s == nil {
			continue
		}
		if s.isFloat() {
			copy(s.data, tensor.Float32s(res[i].(*tensor.Tensor)))
		} else {
			s.other = res[i]
		}
	}
	return nil
}

// val is the value of a plain slot for the reference evaluation.
func (s *slot) val() op.Val {
	if !s.isFloat() {
		return s.other
	}
	t := tensor.Of(s.shape, s.data)
	if s.dtype != tensor.Float32 {
		t, _ = tensor.Convert(t, s.dtype, tensor.Options{})
	}
	return t
}
