package engine

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// viewRows are operators that change no element: the result lies where the
// operand does.
var viewRows = []row{
	{op: "Identity", lower: lowerSame},
	{op: "Dropout", since: 12, lower: lowerDropout},
	{op: "Cast", lower: lowerCast},
	{op: "Reshape", since: 5, lower: lowerReshaped},
	{op: "Flatten", lower: lowerReshaped},
	{op: "Squeeze", since: 13, lower: lowerReshaped},
	{op: "Unsqueeze", since: 13, lower: lowerReshaped},
}

// lowerSame keeps the layout.
func lowerSame(b *builder, n *ir.Node) bool {
	if !b.real(n.In[0], n.Out[0]) || len(n.Out) > 1 {
		return false
	}
	x, y := b.val(n.In[0]), b.val(n.Out[0])
	if !b.isLast(n.In[0]) {
		b.plain(n.In[0])
	}
	y.plain, y.last = x.plain, x.last
	return true
}

// lowerDropout passes on what does not train.
func lowerDropout(b *builder, n *ir.Node) bool {
	if len(n.In) > 2 && n.In[2] != nil {
		t := b.cst(n.In[2])
		if t == nil || t.Type != tensor.Bool || t.Len() != 1 || tensor.Data[bool](t)[0] {
			return false
		}
	}
	return lowerSame(b, n)
}

// lowerCast is for casts between real types that lose nothing.
func lowerCast(b *builder, n *ir.Node) bool {
	if len(n.Out) != 1 || !b.real(n.In[0], n.Out[0]) {
		return false
	}
	if to := b.val(n.Out[0]).t; to != tensor.Float32 && to != b.val(n.In[0]).t {
		return false
	}
	return lowerSame(b, n)
}

// lowerReshaped gives the elements in C order another shape.
func lowerReshaped(b *builder, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	if !b.real(x, y) || tensor.Len(b.val(x).shape) != tensor.Len(b.val(y).shape) {
		return false
	}
	if slices.Equal(b.val(x).shape, b.val(y).shape) {
		return lowerSame(b, n)
	}
	p, steps := b.anyOrder(x)
	if steps = reshapedSteps(b.val(x).shape, steps, b.val(y).shape); steps != nil {
		b.setView(y, p, steps)
	} else {
		b.val(y).plain = b.plain(x)
	}
	return true
}

// reshapedSteps are the distances along the axes of another shape of the same
// elements, nil where no distances describe it.
func reshapedSteps(shape, steps, to []int) []int {
	out := make([]int, len(to))
	i := 0
	for k := 0; k < len(to); {
		// The fewest axes on both sides that hold the same elements.
		first, next := i, k+1
		for n, m := 1, to[k]; n != m; {
			if n < m {
				n *= shape[i]
				i++
			} else {
				m *= to[next]
				next++
			}
		}
		inner, ok := joinedStep(shape[first:i], steps[first:i])
		if !ok {
			return nil
		}
		for ; next > k; k++ {
			out[k] = inner * tensor.Len(to[k+1:next])
		}
	}
	return out
}

// joinedStep is the distance of elements of axes taken as one, if there is one.
func joinedStep(shape, steps []int) (inner int, ok bool) {
	inner, want := 1, -1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 1 {
			continue
		}
		if want < 0 {
			inner = steps[i]
		} else if steps[i] != want {
			return 0, false
		}
		want = steps[i] * shape[i]
	}
	return inner, true
}
