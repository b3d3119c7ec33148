package grad

import (
	"pare/kernel"
	"pare/op"
	"pare/tensor"
)

// lowerResize lowers a Resize whose sizes are known: axis by axis, each element a
// weighted sum of elements of the operand.
func lowerResize(b *builder) error {
	consts := make([]*tensor.Tensor, len(b.node.In))
	for i := 1; i < len(consts); i++ {
		consts[i] = b.constant(i)
		if b.has(i) && consts[i] == nil {
			return lowerReference(b)
		}
	}
	list, ok := op.ResizeTaps(b.node, b.m.Opset(""), b.shape(0), consts)
	if !ok || !b.dtype(0).IsFloat() {
		return lowerReference(b)
	}
	x := b.in(0, last)
	var todo []op.Taps
	shape := b.sizes(0)
	for _, t := range list {
		if !trivial(t, x.shape[t.Axis]) {
			todo = append(todo, t)
		}
	}
	for i, t := range todo {
		if i == len(todo)-1 {
			b.along(x, b.out(0, x.lay), t)
			return nil
		}
		next := append([]int(nil), x.shape...)
		next[t.Axis] = shape[t.Axis]
		y := b.newSlot(x.name, next, x.lay)
		b.along(x, y, t)
		x = y
	}
	b.step([]*slot{x}, []*slot{b.out(0, x.lay)}).views()
	return nil
}

// trivial reports whether taps copy an axis of n elements.
func trivial(t op.Taps, n int) bool {
	for o, at := range t.At {
		if len(at) != 1 || at[0] != o || t.Weight[o][0] != 1 {
			return false
		}
	}
	return len(t.At) == n
}

// along makes y from x by taps along one axis.
func (b *builder) along(x, y *slot, t op.Taps) {
	axis := t.Axis
	if x.lay == last && axis > 0 {
		axis--
		if t.Axis == 1 {
			axis = len(x.shape) - 1
		}
	}
	in, out := x.dims(), y.dims()
	outer, inner := tensor.Len(in[:axis]), tensor.Len(in[axis+1:])
	st := b.step([]*slot{x}, []*slot{y})
	n, m := in[axis], out[axis]
	st.then(spanBy(outer, max(1, grain/max(1, m*inner)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			src, dst := x.data[i*n*inner:(i+1)*n*inner], y.data[i*m*inner:(i+1)*m*inner]
			clear(dst)
			for o, at := range t.At {
				for k, a := range at {
					addScaled(dst[o*inner:(o+1)*inner], src[a*inner:], t.Weight[o][k])
				}
			}
		}
	}))
	if !st.wants(0) {
		return
	}
	st.back(spanBy(outer, max(1, grain/max(1, n*inner)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			dx, dy := st.dx[0][i*n*inner:(i+1)*n*inner], y.grad[i*m*inner:(i+1)*m*inner]
			clear(dx)
			for o, at := range t.At {
				for k, a := range at {
					addScaled(dx[a*inner:(a+1)*inner], dy[o*inner:], t.Weight[o][k])
				}
			}
		}
	}))
}

// addScaled adds s·src to dst.
func addScaled(dst, src []float32, s float64) { kernel.AddScaled(dst, src[:len(dst)], float32(s)) }

// add adds src to dst.
func add(dst, src []float32) { kernel.Add.Run(dst, dst, src[:len(dst)]) }

// lowerCast is a change of the type of floats, which are held alike.
func lowerCast(b *builder) error {
	if v := b.node.Out[0]; !b.dtype(0).IsFloat() || !v.Type.DType.IsFloat() {
		return lowerReference(b)
	}
	return lowerIdentity(b)
}

// lowerDropout is the identity, as at inference.
func lowerDropout(b *builder) error {
	if b.wanted(1) || b.has(2) && !isFalse(b.constant(2)) {
		return lowerReference(b)
	}
	return lowerIdentity(b)
}

func isFalse(t *tensor.Tensor) bool { return t != nil && t.Len() == 1 && tensor.Float64s(t)[0] == 0 }
