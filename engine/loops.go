package engine

import (
	"slices"

	"pare/kernel"
)

// chunk is how many elements one task of an element-wise step computes.
const chunk = 32 << 10

// tasksFor is the number of tasks for n elements.
func tasksFor(n int) int { return max(1, (n+chunk-1)/chunk) }

// span is the range of elements of one task.
func span(task, n int) (from, to int) { return task * chunk, min((task+1)*chunk, n) }

// walk is an iteration over a dense result and two strided operands, outermost
// axis first, with as few axes as possible.
type walk struct {
	n, a, b []int // sizes, and steps of the operands along every axis
	inner   int   // size of the last axis
	outer   int   // product of the others
	block   int   // elements of the last axis per task
	cuts    int   // tasks along the last axis
	rows    int   // rows of the last axis per task
	tasks   int
}

// newWalk iterates over the shape.
func newWalk(shape, a, b []int) *walk {
	w := &walk{}
	for i, n := range shape {
		if n == 1 {
			continue
		}
		if k := len(w.n) - 1; k >= 0 && w.a[k] == n*a[i] && w.b[k] == n*b[i] {
			w.n[k] *= n
			w.a[k], w.b[k] = a[i], b[i]
			continue
		}
		w.n, w.a, w.b = append(w.n, n), append(w.a, a[i]), append(w.b, b[i])
	}
	if len(w.n) == 0 {
		w.n, w.a, w.b = []int{1}, []int{1}, []int{1}
	}
	last := len(w.n) - 1
	w.inner, w.outer = w.n[last], 1
	for _, n := range w.n[:last] {
		w.outer *= n
	}
	w.block = min(w.inner, chunk)
	w.cuts = (w.inner + w.block - 1) / w.block
	w.rows = min(w.outer, max(1, chunk/w.inner))
	w.tasks = (w.outer + w.rows - 1) / w.rows * w.cuts
	return w
}

// steps are the distances of neighbours along the last axis.
func (w *walk) steps() (a, b int) { return w.a[len(w.a)-1], w.b[len(w.b)-1] }

// byRows reports whether neighbours along the last axis lie together or repeat.
func (w *walk) byRows() bool {
	a, b := w.steps()
	return a>>1 == 0 && b>>1 == 0
}

// each calls f for the rows of a task with offsets into result and operands.
func (w *walk) each(task int, f func(dst, a, b, n int)) {
	from := task % w.cuts * w.block
	n := min(w.block, w.inner-from)
	sa, sb := w.steps()
	r0 := task / w.cuts * w.rows
	for r := r0; r < min(r0+w.rows, w.outer); r++ {
		oa, ob := w.offsets(r)
		f(r*w.inner+from, oa+from*sa, ob+from*sb, n)
	}
}

// offsets are where row r of the operands starts.
func (w *walk) offsets(r int) (a, b int) {
	for i := len(w.n) - 2; i >= 0; i-- {
		k := r % w.n[i]
		r /= w.n[i]
		a += k * w.a[i]
		b += k * w.b[i]
	}
	return a, b
}

// strided are the element distances along the axes of a dense shape.
func strided(shape []int) []int {
	out := make([]int, len(shape))
	n := 1
	for i, d := range slices.Backward(shape) {
		out[i] = n
		n *= d
	}
	return out
}

// broadcastSteps are the distances along the axes of out of an operand of the
// given shape and distances, 0 where it repeats.
func broadcastSteps(shape, steps, out []int) []int {
	res := make([]int, len(out))
	for i, d := range shape {
		if d != 1 {
			res[len(out)-len(shape)+i] = steps[i]
		}
	}
	return res
}

// lastSteps are the distances along the axes of lastShape(shape) with pixels
// pitch elements apart.
func lastSteps(shape []int, pitch int) []int {
	last := lastShape(shape)
	out := make([]int, len(last))
	out[len(last)-1] = 1
	n := pitch
	for i := len(last) - 2; i >= 0; i-- {
		out[i] = n
		n *= last[i]
	}
	return out
}

// zip computes one row of a binary function; steps are 0 or 1 for the kernels,
// anything else element by element.
func zip(k kernel.Binary, dst, a, b []float32, sa, sb int) {
	n := len(dst)
	switch {
	case sa == 1 && sb == 1:
		k.Run(dst, a[:n], b[:n])
	case sa == 1 && sb == 0:
		k.RunScalar(dst, a[:n], b[0])
	case sa == 0 && sb == 1:
		k.RunScalarLeft(dst, a[0], b[:n])
	default:
		for i := range dst {
			k.Run(dst[i:i+1], a[i*sa:i*sa+1], b[i*sb:i*sb+1])
		}
	}
}
