package grad

import (
	"context"
	"slices"

	"pare/op"
	"pare/tensor"
)

// lowerMoving lowers operators whose result holds elements of the listed operands, and
// zeros: where each comes from is what the reference of package op makes of numbers
// in their place. Where other operands are constant that is found once.
func lowerMoving(operands ...int) func(b *builder) error {
	return func(b *builder) error {
		if b.node.Str("reduction", "none") != "none" {
			return lowerReference(b)
		}
		m := &moving{b: b}
		known := true
		for i, v := range b.node.In {
			switch {
			case v == nil:
			case slices.Contains(operands, i):
				m.from = append(m.from, b.in(i, plain))
				m.moved = append(m.moved, i)
			default:
				m.from = append(m.from, b.in(i, plain))
				known = known && b.constant(i) != nil
			}
		}
		m.build(known)
		return nil
	}
}

// moving is one node that moves elements.
type moving struct {
	b     *builder
	from  []*slot // the operands that are there
	moved []int   // those whose elements are moved
	src   []int32 // where each element of the result comes from, counted from 1 through all of moved; 0 for zeros
}

func (m *moving) build(known bool) {
	y := m.b.out(0, plain)
	st := m.b.step(m.from, []*slot{y})
	m.src = make([]int32, y.size())
	if known {
		if err := m.trace(m.b.ctx); err != nil {
			panic(refusal{err})
		}
	} else {
		st.eval = m.trace
	}
	list := m.slots()
	st.then(span(y.size(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y.data[i] = 0
			if k := int(m.src[i]) - 1; k >= 0 {
				s := 0
				for ; k >= list[s].size(); s++ {
					k -= list[s].size()
				}
				y.data[i] = list[s].data[k]
			}
		}
	}))
	if st.flows() {
		st.back(serial(func() { m.back(st, list, y) }))
	}
}

// back adds the gradient of every element to where it came from, in order.
func (m *moving) back(st *step, list []*slot, y *slot) {
	for i := range st.in {
		if st.wants(i) {
			clear(st.dx[i])
		}
	}
	for i, k := range m.src {
		k := int(k) - 1
		for s := 0; k >= 0 && s < len(list); s++ {
			if n := list[s].size(); k >= n {
				k -= n
				continue
			}
			if at := slices.Index(st.in, list[s]); st.wants(at) {
				st.dx[at][k] += y.grad[i]
			}
			break
		}
	}
}

// slots is those whose elements are moved.
func (m *moving) slots() []*slot {
	var list []*slot
	for _, i := range m.moved {
		list = append(list, m.b.in(i, plain))
	}
	return list
}

// trace finds where elements come from.
func (m *moving) trace(ctx context.Context) error {
	n := m.b.node
	in := make([]op.Val, len(n.In))
	next := int32(0)
	for i, v := range n.In {
		if v == nil {
			continue
		}
		s := m.b.in(i, plain)
		if !slices.Contains(m.moved, i) {
			in[i] = s.val()
			continue
		}
		t := tensor.New(tensor.Int32, s.shape...)
		for k := range tensor.Data[int32](t) {
			next++
			tensor.Data[int32](t)[k] = next
		}
		in[i] = t
	}
	out, err := m.b.interp.Node(ctx, n, in, nil)
	if err != nil {
		return err
	}
	copy(m.src, tensor.Data[int32](out[0].(*tensor.Tensor)))
	return nil
}
