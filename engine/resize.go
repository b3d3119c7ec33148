package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/op"
	"pare/tensor"
)

// resizeRows resample along axes.
var resizeRows = []row{
	{op: "Resize", since: 11, lower: lowerResize},
}

// lowerResize resamples axis by axis: a sum of few weighted rows each.
func lowerResize(b *builder, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	if !b.real(x, y) {
		return false
	}
	in := make([]*tensor.Tensor, len(n.In))
	for i, v := range n.In[1:] {
		if v == nil {
			continue
		}
		if in[i+1] = b.cst(v); in[i+1] == nil {
			return false
		}
	}
	taps, ok := op.ResizeTaps(n, b.m.Opset(""), b.val(x).shape, in)
	if !ok {
		return false
	}
	b.resize(n, taps)
	return true
}

// resize emits the sums along each axis, in the layout of the operand.
func (b *builder) resize(n *ir.Node, taps []op.Taps) {
	x, y := n.In[0], n.Out[0]
	shape := slices.Clone(b.val(x).shape)
	last := b.isLast(x)
	from := place{}
	if last {
		from = b.dense(x, b.last(x), shape[1])
	} else {
		from = b.plain(x)
	}
	for _, t := range taps {
		order, axis := shape, t.Axis
		if last {
			order, axis = lastShape(shape), lastAxis(t.Axis, len(shape))
		}
		from = b.resample(n, from, order, axis, t)
		shape[t.Axis] = len(t.At)
	}
	if last {
		b.val(y).last = from
	} else {
		b.val(y).plain = from
	}
}

// lastAxis is where an axis stands with channels last.
func lastAxis(axis, rank int) int {
	switch {
	case axis == 0:
		return 0
	case axis == 1:
		return rank - 1
	}
	return axis - 1
}

func (b *builder) resample(n *ir.Node, from place, shape []int, axis int, t op.Taps) place {
	outer, size, inner := tensor.Len(shape[:axis]), shape[axis], tensor.Len(shape[axis+1:])
	count := len(t.At)
	to := place{b: newBuf(outer * count * inner)}
	perTask := max(1, chunk/inner)
	cuts := (count + perTask - 1) / perTask
	b.emit(&step{node: n, kernel: "resize", tasks: outer * cuts, scratch: blendFloats, reads: []*buf{from.b}, writes: []*buf{to.b},
		task: func(f *frame, task int, scratch []float32) {
			o, first := task/cuts, task%cuts*perTask
			d, s := f.at(to)[o*count*inner:], f.at(from)[o*size*inner:]
			for i := first; i < min(first+perTask, count); i++ {
				blend(d[i*inner:(i+1)*inner], s, t.At[i], t.Weight[i], scratch[:blendFloats])
			}
		}})
	return to
}

// blendFloats is the scratch of blend.
const blendFloats = 256

// blend is the weighted sum of rows.
func blend(dst, src []float32, at []int, weight []float64, block []float32) {
	n := len(dst)
	if len(at) == 1 && weight[0] == 1 {
		copy(dst, src[at[0]*n:])
		return
	}
	clear(dst)
	for k, i := range at {
		row, w := src[i*n:(i+1)*n], float32(weight[k])
		if n < 8 {
			for j, x := range row {
				dst[j] += float32(w * x)
			}
			continue
		}
		addScaled(dst, row, w, block)
	}
}

// addScaled adds w times src by way of a small block.
func addScaled(dst, src []float32, w float32, block []float32) {
	for len(dst) > 0 {
		n := min(len(dst), len(block))
		kernel.Mul.RunScalar(block[:n], src[:n], w)
		kernel.Add.Run(dst[:n], dst[:n], block[:n])
		dst, src = dst[n:], src[n:]
	}
}
