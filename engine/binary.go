package engine

import (
	"math"
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// binaryRows are element-wise functions of two operands under broadcasting.
var binaryRows = []row{
	{op: "Add", since: 7, lower: binary(kernel.Add)},
	{op: "Sub", since: 7, lower: binary(kernel.Sub)},
	{op: "Mul", since: 7, lower: lowerMul},
	{op: "Div", since: 7, lower: binary(kernel.Div)},
	{op: "Pow", since: 12, lower: lowerPow},
	{op: "Sum", since: 8, lower: variadic(kernel.Add)},
	{op: "Min", since: 8, lower: bound(kernel.Min)},
	{op: "Max", since: 8, lower: bound(kernel.Max)},
	{op: "PRelu", since: 7, lower: lowerPRelu},
}

func binary(k kernel.Binary) func(*builder, *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		if len(n.In) != 2 || !b.real(n.In[0], n.In[1], n.Out[0]) {
			return false
		}
		b.binary(n, k, n.In[0], n.In[1], n.Out[0])
		return true
	}
}

// bound lowers Min and Max against a constant. The computed operand comes
// second, so that its NaNs stay.
func bound(k kernel.Binary) func(*builder, *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		if len(n.In) != 2 || !b.real(n.In[0], n.In[1], n.Out[0]) {
			return false
		}
		x, limit := n.In[0], n.In[1]
		if x.Const != nil {
			x, limit = limit, x
		}
		if limit.Const == nil || x.Const != nil {
			return false
		}
		b.binary(n, k, limit, x, n.Out[0])
		return true
	}
}

// variadic folds any number of operands, of which the first must have the shape
// of the result where there are more than two.
func variadic(k kernel.Binary) func(*builder, *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		if len(n.In) < 2 || !b.real(n.In...) || !b.real(n.Out[0]) {
			return false
		}
		y := n.Out[0]
		if len(n.In) > 2 && !slices.Equal(b.val(n.In[0]).shape, b.val(y).shape) {
			return false
		}
		acc := n.In[0]
		for i, v := range n.In[1:] {
			out := y
			if i < len(n.In)-2 {
				out = b.temporary(y)
			}
			b.binary(n, k, acc, v, out)
			acc = out
		}
		return true
	}
}

// temporary is a value of v's type that the graph does not have.
func (b *builder) temporary(v *ir.Value) *ir.Value {
	t := &ir.Value{Name: v.Name, Type: v.Type}
	x := b.val(v)
	b.vals[t] = &value{t: x.t, shape: x.shape, box: -1}
	return t
}

// lowerPRelu is max(x, 0) + slope·min(x, 0).
func lowerPRelu(b *builder, n *ir.Node) bool {
	x, slope, y := n.In[0], n.In[1], n.Out[0]
	if !b.real(x, slope, y) || len(b.val(slope).shape) > len(b.val(x).shape) {
		return false
	}
	low, scaled, high := b.temporary(y), b.temporary(y), b.temporary(y)
	b.unary(n, "min", x, low, func(dst, src []float32) { kernel.Clamp(dst, src, -inf, 0) })
	b.binary(n, kernel.Mul, low, slope, scaled)
	b.unary(n, "max", x, high, func(dst, src []float32) { kernel.Clamp(dst, src, 0, inf) })
	b.binary(n, kernel.Add, scaled, high, y)
	return true
}

// lowerPow knows constant exponents.
func lowerPow(b *builder, n *ir.Node) bool {
	e, ok := b.scalar(n.In[1])
	if !ok || !b.real(n.In[0], n.Out[0]) || len(b.val(n.In[1]).shape) > len(b.val(n.In[0]).shape) {
		return false
	}
	switch e {
	case 2:
		b.binary(n, kernel.Mul, n.In[0], n.In[0], n.Out[0])
	case 0.5:
		b.unary(n, "sqrt", n.In[0], n.Out[0], kernel.Sqrt.Run)
	case 3:
		square := b.temporary(n.Out[0])
		b.binary(n, kernel.Mul, n.In[0], n.In[0], square)
		b.binary(n, kernel.Mul, square, n.In[0], n.Out[0])
	default:
		return each64("pow", func(x float64) float64 { return math.Pow(x, float64(e)) })(b, n)
	}
	return true
}

// binary emits v = k(x, y), clamped where a clamp follows.
func (b *builder) binary(n *ir.Node, k kernel.Binary, x, y, v *ir.Value) {
	shape := b.val(v).shape
	clamp := b.clampAfter(v)
	v = clamp.v
	last := b.lastWins(shape, x, y)
	w, xp, yp, out := b.pair(last, shape, x, y, v)
	end := b.landingOf(v, out, last, 1)
	st := &step{node: n, kernel: end.name(k.String()), tasks: w.tasks, flops: int64(tensor.Len(shape)), scratch: end.room,
		reads: []*buf{xp.b, yp.b}, writes: []*buf{end.buf()}}
	switch {
	case end.c != nil:
	case xp.b == yp.b:
	case b.inOrder(x, last, shape) && reuse(xp, tensor.Len(shape)) != nil:
		st.reuse = xp.b
	case b.inOrder(y, last, shape):
		st.reuse = reuse(yp, tensor.Len(shape))
	}
	sa, sb := w.steps()
	st.task = func(f *frame, task int, scratch []float32) {
		to, xs, ys := end.flow(f, scratch), f.at(xp), f.at(yp)
		w.each(task, func(at, i, j, m int) {
			end.parts(at, at+m, 1, func(p, q int) {
				d := to.at(p, q)
				zip(k, d, xs[i+(p-at)*sa:], ys[j+(p-at)*sb:], sa, sb)
				if clamp.on {
					kernel.Clamp(d, d, clamp.lo, clamp.hi)
				}
			})
		})
		to.end()
	}
	b.emit(st)
}

// inOrder reports whether an operand is read in the order in which the result
// is written.
func (b *builder) inOrder(v *ir.Value, last bool, shape []int) bool {
	x := b.val(v)
	if !slices.Equal(x.shape, shape) {
		return false
	}
	if last {
		return x.last.dense(shape[1])
	}
	return x.plain.b != nil
}

// lastWins decides in which layout a step with two operands works: with
// channels last where an operand of full size lies so.
func (b *builder) lastWins(shape []int, vs ...*ir.Value) bool {
	if len(shape) < 3 {
		return false
	}
	for _, v := range vs {
		if s := b.val(v).shape; len(s) == len(shape) && tensor.Len(s) == tensor.Len(shape) && b.isLast(v) {
			return true
		}
	}
	return false
}

// pair places two operands and the result, which is dense, for a walk.
func (b *builder) pair(last bool, shape []int, x, y, v *ir.Value) (w *walk, xp, yp, out place) {
	xp, xs := b.spreadOver(x, shape, last)
	yp, ys := b.spreadOver(y, shape, last)
	if last {
		out = place{b: newBuf(tensor.Len(shape))}
		b.val(v).last = out
		return newWalk(lastShape(shape), xs, ys), xp, yp, out
	}
	out = b.newPlain(v)
	if w = newWalk(shape, xs, ys); w.byRows() {
		return w, xp, yp, out
	}
	// Elements of a row are apart in a view: better to bring them together.
	xp, yp = b.plain(x), b.plain(y)
	xs = broadcastSteps(b.val(x).shape, strided(b.val(x).shape), shape)
	ys = broadcastSteps(b.val(y).shape, strided(b.val(y).shape), shape)
	return newWalk(shape, xs, ys), xp, yp, out
}

// spreadOver places an operand and gives its distances along the axes of the
// shape that it is broadcast to.
func (b *builder) spreadOver(v *ir.Value, shape []int, last bool) (place, []int) {
	if last {
		return b.operandLast(v, shape)
	}
	p, steps := b.strided(v)
	return p, broadcastSteps(b.val(v).shape, steps, shape)
}

// operandLast places an operand that is broadcast to the shape with channels
// last, and the distances along its axes.
func (b *builder) operandLast(v *ir.Value, shape []int) (place, []int) {
	s := b.val(v).shape
	if len(s) == len(shape) {
		p := b.last(v)
		return p, broadcastSteps(lastShape(s), lastSteps(s, p.pitch(s[1])), lastShape(shape))
	}
	// A smaller rank: the axes as they stand, the channels' moved to the end.
	full := make([]int, len(shape))
	copy(full[copy(full, ones(len(shape)-len(s))):], s)
	from := b.plain(v)
	if full[1] > 1 && tensor.Len(full[2:]) > 1 {
		from = b.gathered(v, from, lastShape(full), channelsLast(strided(full)))
	}
	return from, broadcastSteps(lastShape(full), strided(lastShape(full)), lastShape(shape))
}

func ones(n int) []int { return slices.Repeat([]int{1}, n) }

// clamping is a clamp that follows a result.
type clamping struct {
	v      *ir.Value // the result in the end
	on     bool
	lo, hi float32
}

var inf = float32(math.Inf(1))

// clampAfter absorbs a Relu or Clip that is the only reader of v.
func (b *builder) clampAfter(v *ir.Value) clamping {
	c := clamping{v: v, lo: -inf, hi: inf}
	n := b.only(v)
	if n == nil {
		return c
	}
	lo, hi, ok := b.limits(n)
	if !ok {
		return c
	}
	b.absorb(n)
	return clamping{v: n.Out[0], on: true, lo: lo, hi: hi}
}

// limits are the bounds of a node that clamps, by constants.
func (b *builder) limits(n *ir.Node) (lo, hi float32, ok bool) {
	lo, hi = -inf, inf
	if is(n, "Relu") {
		return 0, hi, b.real(n.In[0], n.Out[0])
	}
	if !is(n, "Clip") || b.m.Opset("") < 11 || !b.real(n.In[0], n.Out[0]) {
		return lo, hi, false
	}
	for i, to := range []*float32{&lo, &hi} {
		if len(n.In) <= i+1 || n.In[i+1] == nil {
			continue
		}
		if *to, ok = b.scalar(n.In[i+1]); !ok {
			return lo, hi, false
		}
	}
	return lo, hi, lo < hi
}
