package grad

import (
	"math"

	"pare/kernel"
	"pare/tensor"
)

// lowerAttention is softmax(scale·q·kᵀ + bias)·v for every head, without caches.
func lowerAttention(b *builder) error {
	n := b.node
	if b.has(4) || b.has(5) || b.has(6) || b.wanted(1) || b.wanted(2) || b.wanted(3) {
		return lowerReference(b)
	}
	a := &attention{b: b, q: b.heads(0, "q_num_heads"), k: b.heads(1, "kv_num_heads"), v: b.heads(2, "kv_num_heads")}
	if a.k.shape[1] == 0 || a.q.shape[1]%a.k.shape[1] != 0 || a.q.shape[3] == 0 {
		refuse("queries of shape %v and keys of shape %v", a.q.shape, a.k.shape)
	}
	scores := a.product(a.q, a.k, true, n.Float("scale", float32(1/math.Sqrt(float64(a.q.shape[3])))))
	if c := n.Float("softcap", 0); c > 0 {
		capped := b.newSlot(scores.name, scores.shape, plain)
		b.curveTo(scores, capped, capCurve(c))
		scores = capped
	}
	scores = a.masked(a.hidden(scores))
	shares := b.newSlot(scores.name, scores.shape, plain)
	b.lines(scores, shares, hiddenSoftmax)
	b.unheads(a.product(shares, a.v, false, 1), b.out(0, plain))
	return nil
}

// attention is one node; its operands are [batch, heads, length, size].
type attention struct {
	b       *builder
	q, k, v *slot
}

// heads is operand i as [batch, heads, length, size].
func (b *builder) heads(i int, count string) *slot {
	x := b.in(i, plain)
	if len(x.shape) == 4 {
		return x
	}
	h := b.node.Int(count, 0)
	if len(x.shape) != 3 || h < 1 || x.shape[2]%h != 0 {
		refuse("operand %d of shape %v does not split into %d heads", i, x.shape, h)
	}
	return b.permuted(b.reshaped(x, []int{x.shape[0], x.shape[1], h, x.shape[2] / h}), 0, 2, 1, 3)
}

// unheads stores x, [batch, heads, length, size], as the result is shaped.
func (b *builder) unheads(x, y *slot) {
	if len(y.shape) == 3 {
		x = b.permuted(x, 0, 2, 1, 3)
	}
	b.step([]*slot{x}, []*slot{y}).views()
}

// product multiplies the matrices of all heads; several heads of x share one of w.
func (a *attention) product(x, w *slot, tb bool, alpha float32) *slot {
	rows, cols := x.shape[2], w.shape[3]
	if tb {
		cols = w.shape[2]
	}
	batch, all, shared := x.shape[0], x.shape[1], w.shape[1]
	split := []int{batch, shared, all / shared, rows}
	y := a.b.newSlot(x.name, append(split, cols), plain)
	wide := a.b.reshaped(w, []int{batch, shared, 1, w.shape[2], w.shape[3]})
	a.b.matMul(a.b.reshaped(x, append(split, x.shape[3])), wide, y, tb, alpha)
	return a.b.reshaped(y, []int{batch, all, rows, cols})
}

// hidden adds -Inf where a query must not see a key, by the order of both.
func (a *attention) hidden(scores *slot) *slot {
	n := a.b.node
	causal, left, right := n.Int("is_causal", 0) != 0, n.Int("left_window_size", -1), n.Int("right_window_size", -1)
	if !causal && left < 0 && right < 0 {
		return scores
	}
	rows, cols := scores.shape[2], scores.shape[3]
	bias := make([]float32, rows*cols)
	for i := range rows {
		for j := range cols {
			if causal && j > i || left >= 0 && j < i-left || right >= 0 && j > i+right {
				bias[i*cols+j] = -inf
			}
		}
	}
	fixed := a.b.newSlot(scores.name, []int{1, 1, rows, cols}, plain)
	fixed.fixed, fixed.data = tensor.Of(fixed.shape, bias), bias
	return a.plus(scores, fixed)
}

// masked adds operand 3; a boolean one says what is seen.
func (a *attention) masked(scores *slot) *slot {
	b := a.b
	if !b.has(3) {
		return scores
	}
	m := b.in(3, plain)
	if len(m.shape) > 4 || len(m.shape) == 0 || m.shape[len(m.shape)-1] != scores.shape[3] {
		refuse("no gradient passes this operator with a mask of shape %v", m.shape)
	}
	if m.dtype == tensor.Bool {
		m = b.seen(m)
	}
	if len(m.shape) < 4 {
		m = b.reshaped(m, ranked(m, 4))
	}
	return a.plus(scores, m)
}

// seen is 0 where a boolean slot holds true, else -Inf.
func (b *builder) seen(m *slot) *slot {
	y := b.newSlot(m.name, m.shape, plain)
	b.step([]*slot{m}, []*slot{y}).then(serial(func() {
		for i, v := range tensor.Data[bool](m.other.(*tensor.Tensor)) {
			y.data[i] = -inf
			if v {
				y.data[i] = 0
			}
		}
	}))
	return y
}

// plus is x plus y, which may be repeated along axes.
func (a *attention) plus(x, y *slot) *slot {
	z := a.b.newSlot(x.name, x.shape, plain)
	if sameShape(x.shape, y.shape) {
		a.b.arithmetic(kernel.Add, x, y, z)
	} else {
		a.b.spreadArithmetic(kernel.Add, x, y, z, 1)
	}
	return z
}

// capCurve is c·tanh(x/c).
func capCurve(c float32) curve {
	t := tanhCurve(nil)
	return curve{readsY: true, run: func(y, x []float32) {
		kernel.Mul.RunScalar(y, x, 1/c)
		t.run(y, y)
		kernel.Mul.RunScalar(y, y, c)
	}, slope: func(dx, dy, x, y, s []float32) {
		for i, v := range y {
			dx[i] = dy[i] * (1 - v/c*(v/c))
		}
	}}
}

// hiddenSoftmax is softmax, zeros where everything is hidden.
var hiddenSoftmax = lines{readsY: true, bwd: softmaxLines.bwd, fwd: func(y, x []float32) {
	if kernel.RowMax(x) == -inf {
		clear(y)
		return
	}
	kernel.Softmax(y, x, len(x))
}}
