package engine

import (
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// strided is where v lies, with the distance of neighbours along every axis; a
// view is taken as it is.
func (b *builder) strided(v *ir.Value) (place, []int) {
	x := b.val(v)
	if x.plain.b == nil && x.view.b != nil {
		return x.view, x.steps
	}
	return b.plain(v), strided(x.shape)
}

// anyOrder is strided that takes channels last as it is, too.
func (b *builder) anyOrder(v *ir.Value) (place, []int) {
	x := b.val(v)
	if !b.isLast(v) {
		return b.strided(v)
	}
	s := lastSteps(x.shape, x.last.pitch(x.shape[1]))
	c := len(s) - 1
	return place{b: x.last.b, off: x.last.off}, slices.Concat(s[:1], s[c:], s[1:c])
}

// setView says that v lies in the given memory, with the given distances along
// its axes.
func (b *builder) setView(v *ir.Value, p place, steps []int) {
	x := b.val(v)
	switch {
	case sameSteps(x.shape, steps, strided(x.shape)):
		x.plain = p
	case len(x.shape) >= 3 && b.lastPitch(x.shape, steps) > 0:
		x.last = place{b: p.b, off: p.off, stride: b.lastPitch(x.shape, steps)}
	default:
		x.view, x.steps = p, steps
	}
}

// sameSteps compares distances along axes of more than one element.
func sameSteps(shape, a, b []int) bool {
	for i, n := range shape {
		if n > 1 && a[i] != b[i] {
			return false
		}
	}
	return true
}

// lastPitch is the distance of pixels where the distances are those of channels
// last, else 0.
func (b *builder) lastPitch(shape, steps []int) int {
	last := len(shape) - 1
	pitch := steps[last]
	if shape[last] == 1 || pitch < shape[1] || shape[1] == 1 {
		return 0
	}
	s := lastSteps(shape, pitch)
	c := len(s) - 1
	if !sameSteps(shape, steps, slices.Concat(s[:1], s[c:], s[1:c])) {
		return 0
	}
	return pitch
}

// gathered copies strided elements into C order of the shape.
func (b *builder) gathered(v *ir.Value, from place, shape, steps []int) place {
	to := place{b: newBuf(tensor.Len(shape))}
	b.copyTo(b.maker(v), "copy", to, strided(shape), from, shape, steps)
	return to
}

// copyTo emits a copy between strided places. Axes are put in the order of the
// destination.
func (b *builder) copyTo(n *ir.Node, name string, to place, toSteps []int, from place, shape, steps []int) {
	c := newCopying(shape, toSteps, steps)
	b.emit(&step{node: n, kernel: name, tasks: c.tasks, reads: []*buf{from.b}, writes: []*buf{to.b},
		bytes: 8 * int64(tensor.Len(shape)),
		task:  func(f *frame, task int, _ []float32) { c.run(task, f.at(to), f.at(from)) }})
}

// copying is a copy between strided arrays, row by row of the last axis, or
// matrix by matrix where the source is transposed.
type copying struct {
	n, to, from []int
	matrix      bool // the last two axes are a transposition
	inner       int  // elements of a row or matrix
	rows        int  // rows or matrices in all
	perTask     int
	tasks       int
}

func newCopying(shape, to, from []int) *copying {
	c := &copying{}
	for i, n := range shape {
		if n == 1 {
			continue
		}
		if k := len(c.n) - 1; k >= 0 && c.to[k] == n*to[i] && c.from[k] == n*from[i] {
			c.n[k] *= n
			c.to[k], c.from[k] = to[i], from[i]
			continue
		}
		c.n, c.to, c.from = append(c.n, n), append(c.to, to[i]), append(c.from, from[i])
	}
	if len(c.n) == 0 {
		c.n, c.to, c.from = []int{1}, []int{1}, []int{1}
	}
	last := len(c.n) - 1
	c.inner = c.n[last]
	c.rows = tensor.Len(c.n[:last])
	if last > 0 && c.from[last-1] == 1 && c.from[last] == c.n[last-1] && c.to[last] == 1 && c.to[last-1] == c.n[last] {
		c.matrix = true
		c.inner *= c.n[last-1]
		c.rows /= c.n[last-1]
	}
	c.perTask = max(1, chunk/c.inner)
	c.tasks = (c.rows + c.perTask - 1) / c.perTask
	return c
}

func (c *copying) run(task int, dst, src []float32) {
	copyStrided(c, task, dst, src, kernel.Transpose)
}

// copyStrided is one task of c; transpose copies a matrix.
func copyStrided[T float32 | uint8](c *copying, task int, dst, src []T, transpose func(dst, src []T, rows, cols int)) {
	axes := c.axes()
	var pos [2 * maxRank]int
	r0 := task * c.perTask
	d, s := 0, 0
	for i, at := axes-1, r0; i >= 0; i-- {
		pos[i] = at % c.n[i]
		at /= c.n[i]
		d += pos[i] * c.to[i]
		s += pos[i] * c.from[i]
	}
	for range min(c.perTask, c.rows-r0) {
		if c.matrix {
			transpose(dst[d:d+c.inner], src[s:s+c.inner], c.n[axes+1], c.n[axes])
		} else {
			copyRow(dst[d:], src[s:], c.inner, c.to[axes], c.from[axes])
		}
		for i := axes - 1; i >= 0; i-- {
			pos[i]++
			d, s = d+c.to[i], s+c.from[i]
			if pos[i] < c.n[i] {
				break
			}
			d, s = d-c.n[i]*c.to[i], s-c.n[i]*c.from[i]
			pos[i] = 0
		}
	}
}

// axes are those that rows or matrices are counted along.
func (c *copying) axes() int {
	if c.matrix {
		return len(c.n) - 2
	}
	return len(c.n) - 1
}

func copyRow[T float32 | uint8](dst, src []T, n, to, from int) {
	if to == 1 && from == 1 {
		copy(dst[:n], src[:n])
		return
	}
	for i, d, s := 0, 0, 0; i < n; i, d, s = i+1, d+to, s+from {
		dst[d] = src[s]
	}
}
