package grad

import (
	"context"
	"fmt"

	"pare/kernel"
	"pare/op"
	"pare/tensor"
)

// lowerGather picks slices along an axis: rows of a table, mostly. Gradients of a
// slice picked several times are added in the order of the indices.
func lowerGather(b *builder) error {
	x, at, y := b.in(0, plain), b.in(1, plain), b.out(0, plain)
	axis, rank := b.node.Int("axis", 0), len(x.shape)
	if axis < -rank || axis >= rank {
		refuse("axis %d is outside a tensor of rank %d", axis, rank)
	}
	axis = (axis + rank) % rank
	outer, n, inner := tensor.Len(x.shape[:axis]), x.shape[axis], tensor.Len(x.shape[axis+1:])
	st := b.step([]*slot{x, at}, []*slot{y})
	index := make([]int, at.size())
	st.eval = func(context.Context) error { return indices(index, at.other, n) }
	// task calls f for every slice of a task: a part of the width of some of outer.
	parts := 1
	if outer == 1 {
		parts = max(1, min(16, inner/piece))
	}
	each := func(task int, f func(x, y, n int)) {
		o, part := task/parts, task%parts
		lo, hi := part*inner/parts, (part+1)*inner/parts
		for k, i := range index {
			f((o*n+i)*inner+lo, (o*len(index)+k)*inner+lo, hi-lo)
		}
	}
	st.then(spanBy(outer*parts, 1, func(task, _ int) {
		each(task, func(from, to, n int) { copy(y.data[to:to+n], x.data[from:from+n]) })
	}))
	if st.wants(0) {
		st.accumulates(0)
		st.back(span(x.size(), func(lo, hi int) {
			if !st.adding[0] {
				clear(st.dx[0][lo:hi])
			}
		}))
		st.back(spanBy(outer*parts, 1, func(task, _ int) {
			each(task, func(to, from, n int) {
				d := st.dx[0][to : to+n]
				kernel.Add.Run(d, d, y.grad[from:from+n])
			})
		}))
	}
	return nil
}

// indices reads integers of an axis of length n, of which negative ones count from
// the end.
func indices(dst []int, v op.Val, n int) error {
	t, ok := v.(*tensor.Tensor)
	if !ok || t.Len() != len(dst) {
		return fmt.Errorf("%v where %d indices are expected", v, len(dst))
	}
	for k := range dst {
		switch t.Type {
		case tensor.Int64:
			dst[k] = int(tensor.Data[int64](t)[k])
		case tensor.Int32:
			dst[k] = int(tensor.Data[int32](t)[k])
		default:
			return fmt.Errorf("%v where indices are expected", t)
		}
		if dst[k] < -n || dst[k] >= n {
			return fmt.Errorf("index %d is outside an axis of length %d", dst[k], n)
		}
		if dst[k] < 0 {
			dst[k] += n
		}
	}
	return nil
}
