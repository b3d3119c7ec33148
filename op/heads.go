package op

import (
	"fmt"

	"pare/ir"
	"pare/tensor"
)

// heads is an attention operand: batch × heads × length vectors of size
// elements, in either order in memory.
type heads struct {
	data                       []float64
	batch, heads, length, size int
	packed                     bool // [batch, length, heads·size] rather than [batch, heads, length, size]
}

// vec is one vector.
func (h *heads) vec(b, head, t int) []float64 {
	at := (b*h.heads+head)*h.length + t
	if h.packed {
		at = (b*h.length+t)*h.heads + head
	}
	return h.data[at*h.size:][:h.size]
}

// shape is that of the tensor.
func (h *heads) shape() []int {
	if h.packed {
		return []int{h.batch, h.length, h.heads * h.size}
	}
	return []int{h.batch, h.heads, h.length, h.size}
}

// heads reads operand i as [batch, heads, length, size] or, where it has three
// dimensions, as [batch, length, n·size].
func (c *Eval) heads(i, n int) *heads {
	t := c.Need(i)
	switch t.Rank() {
	case 4:
		return &heads{c.reals(i), t.Shape[0], t.Shape[1], t.Shape[2], t.Shape[3], false}
	case 3:
		if n < 1 || t.Shape[2]%n != 0 {
			refuse("operand %d is %v, which does not split into %d heads", i, t, n)
		}
		return &heads{c.reals(i), t.Shape[0], n, t.Shape[1], t.Shape[2] / n, true}
	}
	refuse("operand %d is %v; three or four dimensions are needed", i, t)
	return nil
}

// newHeads makes a zeroed one of the shape of an attention result.
func (c *Eval) newHeads(batch, n, length, size int, packed bool) *heads {
	h := &heads{nil, batch, n, length, size, packed}
	h.data = c.zeros(h.shape()...)
	return h
}

// after returns h, in the order [batch, heads, length, size], behind the past
// states of operand i.
func (h *heads) after(c *Eval, i int) *heads {
	past := &heads{batch: h.batch, heads: h.heads, size: h.size}
	if c.Has(i) {
		t := c.needShape(i, h.batch, h.heads, -1, h.size)
		past.data, past.length = c.reals(i), t.Shape[2]
	}
	out := c.newHeads(h.batch, h.heads, past.length+h.length, h.size, false)
	for b := range h.batch {
		for n := range h.heads {
			for t := range past.length {
				copy(out.vec(b, n, t), past.vec(b, n, t))
			}
			for t := range h.length {
				copy(out.vec(b, n, past.length+t), h.vec(b, n, t))
			}
		}
	}
	return out
}

// checkHeads demands that queries, keys and values fit together.
func checkHeads(q, k, v *heads) error {
	if q.batch != k.batch || k.batch != v.batch || k.heads != v.heads || k.length != v.length || q.size != k.size {
		return fmt.Errorf("queries %v, keys %v and values %v do not fit together", q.shape(), k.shape(), v.shape())
	}
	if q.heads > 0 && (k.heads == 0 || q.heads%k.heads != 0) {
		return fmt.Errorf("%d query heads cannot share %d key and value heads", q.heads, k.heads)
	}
	return nil
}

// dot is the inner product.
func dot(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

// addScaled adds f times x to y.
func addScaled(y, x []float64, f float64) {
	for i, v := range x {
		y[i] += float64(f * v)
	}
}

// softmax replaces a row by its softmax.
func softmax(row []float64) {
	sum := shiftedExp(row)
	for i := range row {
		row[i] /= sum
	}
}

// headDims splits the type of an attention operand as heads does.
func headDims(t ir.Type, n int) (batch, count, length, size ir.Dim) {
	switch t.Rank() {
	case 4:
		return t.Shape[0], t.Shape[1], t.Shape[2], t.Shape[3]
	case 3:
		size = ir.Unknown
		if d := t.Shape[2]; d.IsKnown() && n > 0 {
			size = ir.Known(d.N / n)
		}
		count = ir.Unknown
		if n > 0 {
			count = ir.Known(n)
		}
		return t.Shape[0], count, t.Shape[1], size
	}
	return ir.Unknown, ir.Unknown, ir.Unknown, ir.Unknown
}

// precision is the floating-point type that an attribute names.
func precision(n *ir.Node, name string, def tensor.DType) (tensor.DType, error) {
	t, err := dtypeAttr(n, name, def)
	if err == nil && (t != tensor.Undefined || n.Has(name)) && !t.IsFloat() {
		err = fmt.Errorf("attribute %s is %v, which is no floating-point type", name, t)
	}
	return t, err
}
