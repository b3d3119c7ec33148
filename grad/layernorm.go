package grad

import (
	"math"

	"pare/kernel"
)

// rowNorm makes rows of n elements standard, or of root mean square 1, scales and
// shifts them.
type rowNorm struct {
	rms        bool
	eps        float32
	n, rows    int
	each       int // rows per task
	x, g, b, y *slot
}

// lowerRowNorm lowers normalisations over the last axes whose epsilon is eps where
// the node has none.
func lowerRowNorm(rms bool, eps float32) func(b *builder) error {
	return func(b *builder) error {
		if b.wanted(1) || b.wanted(2) {
			return lowerReference(b)
		}
		axis, rank := b.node.Int("axis", -1), len(b.shape(0))
		if axis < -rank || axis >= rank {
			refuse("axis %d is outside a tensor of rank %d", axis, rank)
		}
		n := 1
		for _, d := range b.shape(0)[(axis+rank)%rank:] {
			n *= d
		}
		b.rowNorm(rowNorm{rms: rms, eps: b.node.Float("epsilon", eps), n: n,
			x: b.in(0, plain), g: b.in(1, plain), b: b.in(2, plain), y: b.out(0, plain)})
		return nil
	}
}

// rowNorm adds the step of r, whose slots, eps and n are set.
func (b *builder) rowNorm(r rowNorm) {
	if r.n == 0 || r.g.size() != r.n || r.b != nil && r.b.size() != r.n {
		refuse("scale of shape %v for rows of %d elements", r.g.shape, r.n)
	}
	r.rows = r.x.size() / r.n
	r.each = (r.rows + normTasks - 1) / normTasks
	in := []*slot{r.x, r.g}
	if r.b != nil {
		in = append(in, r.b)
	}
	st := b.step(in, []*slot{r.y})
	st.then(spanBy(r.rows, r.each, r.forward))
	if st.flows() {
		st.uses(r.x, r.g)
		r.back(st)
	}
}

// normTasks is how many tasks rows are cut into: each keeps sums of its own.
const normTasks = 16

func (r *rowNorm) forward(lo, hi int) {
	y, x := r.y.data[lo*r.n:hi*r.n], r.x.data[lo*r.n:hi*r.n]
	var shift []float32
	if r.b != nil {
		shift = r.b.data
	}
	if !r.rms {
		kernel.LayerNorm(y, x, r.g.data, shift, r.eps)
		return
	}
	for i := 0; i < len(x); i += r.n {
		d := y[i : i+r.n]
		kernel.Mul.RunScalar(d, x[i:i+r.n], r.inverse(d, x[i:i+r.n]))
		kernel.Mul.Run(d, d, r.g.data)
		if shift != nil {
			kernel.Add.Run(d, d, shift)
		}
	}
}

// inverse is 1/√(mean x² + eps); t is lost.
func (r *rowNorm) inverse(t, x []float32) float32 {
	kernel.Mul.Run(t, x, x)
	return float32(1 / math.Sqrt(float64(kernel.RowSum(t))/float64(r.n)+float64(r.eps)))
}

// back adds the backward works.
func (r *rowNorm) back(st *step) {
	tasks := (r.rows + r.each - 1) / r.each
	dg, db := r.sums(st, 1, tasks), r.sums(st, 2, tasks)
	w := spanBy(r.rows, r.each, nil)
	w.scratch = 3 * r.n
	w.run = func(task int, t []float32) {
		var g, s []float32
		if dg != nil {
			g = dg.data[task*r.n : (task+1)*r.n]
			clear(g)
		}
		if db != nil {
			s = db.data[task*r.n : (task+1)*r.n]
			clear(s)
		}
		for i := task * r.each; i < min(r.rows, (task+1)*r.each); i++ {
			r.row(st, i, g, s, t)
		}
	}
	st.back(w)
	total := foldingOf([]int{tasks, r.n}, []bool{true, false})
	for i, part := range []*buffer{nil, dg, db} {
		if part != nil {
			st.back(total.sum(func() []float32 { return st.dx[i] }, func() []float32 { return part.data }, 1, nil))
		}
	}
}

// sums is memory for the sums of tasks for operand i where it wants a gradient.
func (r *rowNorm) sums(st *step, i, tasks int) *buffer {
	if !st.wants(i) {
		return nil
	}
	return st.temp(tasks * r.n)
}

// row adds to the gradients of scale and shift, and sets that of row i:
// dx = (d - mean d - x̂·mean(d·x̂))/σ with d = dy·scale; without the first mean where
// rows are not centred.
func (r *rowNorm) row(st *step, i int, dg, db, scratch []float32) {
	x, dy := r.x.data[i*r.n:(i+1)*r.n], r.y.grad[i*r.n:(i+1)*r.n]
	xh, d, t := scratch[:r.n], scratch[r.n:2*r.n], scratch[2*r.n:3*r.n]
	share := 1 / float32(r.n)
	if r.rms {
		copy(xh, x)
	} else {
		kernel.Sub.RunScalar(xh, x, kernel.RowSum(x)*share)
	}
	inv := r.inverse(t, xh)
	kernel.Mul.RunScalar(xh, xh, inv)
	if dg != nil {
		kernel.Mul.Run(t, dy, xh)
		kernel.Add.Run(dg, dg, t)
	}
	if db != nil {
		kernel.Add.Run(db, db, dy)
	}
	if !st.wants(0) {
		return
	}
	kernel.Mul.Run(d, dy, r.g.data)
	kernel.Mul.Run(t, d, xh)
	kernel.Mul.RunScalar(xh, xh, kernel.RowSum(t)*share)
	if !r.rms {
		kernel.Sub.RunScalar(d, d, kernel.RowSum(d)*share)
	}
	dx := st.dx[0][i*r.n : (i+1)*r.n]
	kernel.Sub.Run(dx, d, xh)
	kernel.Mul.RunScalar(dx, dx, inv)
}
