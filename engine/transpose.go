package engine

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// strideRows are operators that only change distances between elements. They
// cost nothing until a step needs another order.
var strideRows = []row{
	{op: "Transpose", lower: lowerTranspose},
	{op: "Slice", since: 10, lower: lowerSlice},
	{op: "Split", since: 13, lower: lowerSplit},
	{op: "Gather", lower: lowerGather},
	{op: "Expand", lower: lowerExpand},
}

func lowerTranspose(b *builder, n *ir.Node) bool {
	if !b.real(n.In[0], n.Out[0]) {
		return false
	}
	p, steps := b.anyOrder(n.In[0])
	_, moved, ok := transposedSteps(b, n, steps)
	if ok {
		b.setView(n.Out[0], p, moved)
	}
	return ok
}

// transposedSteps are the distances along the axes of a transposition.
func transposedSteps(b *builder, n *ir.Node, steps []int) (off int, moved []int, ok bool) {
	rank := len(steps)
	perm := n.Ints("perm")
	if perm == nil {
		for i := range rank {
			perm = append(perm, rank-1-i)
		}
	}
	if len(perm) != rank {
		return 0, nil, false
	}
	for _, a := range perm {
		if a < 0 || a >= rank {
			return 0, nil, false
		}
		moved = append(moved, steps[a])
	}
	return 0, moved, true
}

// axisOf is a possibly negative axis of a tensor of the given rank.
func axisOf(axis, rank int) (int, bool) {
	if axis < 0 {
		axis += rank
	}
	return axis, axis >= 0 && axis < rank
}

// lowerSlice knows constant bounds and positive steps.
func lowerSlice(b *builder, n *ir.Node) bool {
	if !b.real(n.In[0], n.Out[0]) {
		return false
	}
	p, steps := b.anyOrder(n.In[0])
	off, moved, ok := slicedSteps(b, n, steps)
	if ok {
		p.off += off
		b.setView(n.Out[0], p, moved)
	}
	return ok
}

// slicedSteps are the beginning of a slice and the distances along its axes,
// given those of the whole.
func slicedSteps(b *builder, n *ir.Node, steps []int) (off int, moved []int, ok bool) {
	starts, ok := b.ints(n.In[1])
	if !ok {
		return 0, nil, false
	}
	shape := b.val(n.In[0]).shape
	axes, strides, ok := b.sliceAxes(n, len(starts), len(shape))
	if !ok || len(strides) > 0 && slices.Min(strides) < 1 {
		return 0, nil, false
	}
	moved = slices.Clone(steps)
	for i, a := range axes {
		first := starts[i]
		if first < 0 {
			first += shape[a]
		}
		off += min(max(first, 0), shape[a]) * steps[a]
		moved[a] *= strides[i]
	}
	return off, moved, true
}

func (b *builder) sliceAxes(n *ir.Node, count, rank int) (axes, strides []int, ok bool) {
	for i := range count {
		axes, strides = append(axes, i), append(strides, 1)
	}
	if len(n.In) > 3 && n.In[3] != nil {
		if axes, ok = b.ints(n.In[3]); !ok || len(axes) != count {
			return nil, nil, false
		}
	}
	if len(n.In) > 4 && n.In[4] != nil {
		if strides, ok = b.ints(n.In[4]); !ok || len(strides) != count {
			return nil, nil, false
		}
	}
	for i := range axes {
		if axes[i], ok = axisOf(axes[i], rank); !ok {
			return nil, nil, false
		}
	}
	return axes, strides, true
}

func lowerSplit(b *builder, n *ir.Node) bool {
	x := n.In[0]
	shape := b.val(x).shape
	axis, ok := axisOf(n.Int("axis", 0), len(shape))
	if !ok || !b.real(x) {
		return false
	}
	sum := 0
	for _, v := range n.Out {
		if v == nil || !b.real(v) || len(b.val(v).shape) != len(shape) {
			return false
		}
		sum += b.val(v).shape[axis]
	}
	if sum != shape[axis] {
		return false
	}
	p, steps := b.anyOrder(x)
	for _, v := range n.Out {
		b.setView(v, p, steps)
		p.off += b.val(v).shape[axis] * steps[axis]
	}
	return true
}

// lowerGather takes one constant position as a view and rows of a table by
// integers known only at run time.
func lowerGather(b *builder, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	shape := b.val(x).shape
	axis, ok := axisOf(n.Int("axis", 0), len(shape))
	if !ok || !b.real(x, y) {
		return false
	}
	at, known := b.ints(n.In[1])
	if !known || len(at) != 1 {
		return b.gatherRows(n, axis)
	}
	k, ok := axisOf(at[0], shape[axis])
	if !ok {
		return false
	}
	p, steps := b.anyOrder(x)
	p.off += k * steps[axis]
	index := make([]int, len(b.val(n.In[1]).shape)) // axes of one element
	moved := append(append(append([]int(nil), steps[:axis]...), index...), steps[axis+1:]...)
	b.setView(y, p, moved)
	return true
}

// lowerExpand repeats elements by distances of 0.
func lowerExpand(b *builder, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	if !b.real(x, y) || len(b.val(x).shape) > len(b.val(y).shape) {
		return false
	}
	p, steps := b.strided(x)
	b.setView(y, p, broadcastSteps(b.val(x).shape, steps, b.val(y).shape))
	return true
}

// gatherRows copies rows of a table.
func (b *builder) gatherRows(n *ir.Node, axis int) bool {
	x, y := n.In[0], n.Out[0]
	t := b.val(n.In[1]).t
	if t != tensor.Int64 && t != tensor.Int32 {
		return false
	}
	shape := b.val(x).shape
	index := b.operand(n.In[1])
	if index.cst == nil && index.box < 0 {
		return false
	}
	from, to := b.plain(x), b.newPlain(y)
	outer, size, inner := tensor.Len(shape[:axis]), shape[axis], tensor.Len(shape[axis+1:])
	if index.box >= 0 {
		b.lastBox[index.box] = len(b.steps)
	}
	b.emit(&step{node: n, kernel: "gather", tasks: outer, reads: []*buf{from.b}, writes: []*buf{to.b},
		bytes: 8 * int64(tensor.Len(b.val(y).shape)),
		task: func(f *frame, o int, _ []float32) {
			at := index.cst
			if at == nil {
				at = f.boxes[index.box].(*tensor.Tensor)
			}
			dst, src := f.at(to)[o*at.Len()*inner:], f.at(from)[o*size*inner:]
			if at.Type == tensor.Int64 {
				takeRows(dst, src, tensor.Data[int64](at), size, inner)
			} else {
				takeRows(dst, src, tensor.Data[int32](at), size, inner)
			}
		}})
	return true
}

func takeRows[T int32 | int64](dst, src []float32, at []T, size, inner int) {
	for i, k := range at {
		if k < 0 {
			k += T(size)
		}
		if k < 0 || int(k) >= size {
			panic(indexError{int(at[i]), size})
		}
		copy(dst[i*inner:(i+1)*inner], src[int(k)*inner:(int(k)+1)*inner])
	}
}
