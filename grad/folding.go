package grad

import (
	"pare/kernel"
)

// folding relates the elements of an array to those of a smaller one, in which some
// of its axes are 1: the sums over these axes, or what is repeated along them.
type folding struct {
	// Part (o, r) begins at keep[o] + fold[r] and has run elements. They belong to
	// element o of the smaller array where rows, else to its elements from o*run on.
	keep, fold []int
	run        int
	rows       bool
}

// foldingOf is that of an array of the given dimensions, of which folded ones are
// summed over.
func foldingOf(dims []int, folded []bool) folding {
	f := folding{run: 1}
	k := len(dims)
	for decided := false; k > 0; k-- {
		if dims[k-1] == 1 {
			continue
		}
		if decided && folded[k-1] != f.rows {
			break
		}
		decided, f.rows = true, folded[k-1]
		f.run *= dims[k-1]
	}
	f.keep, f.fold = []int{0}, []int{0}
	step := f.run
	steps := make([]int, k)
	for i := k - 1; i >= 0; i-- {
		steps[i] = step
		step *= dims[i]
	}
	for i, d := range dims[:k] {
		list := &f.keep
		if folded[i] {
			list = &f.fold
		}
		*list = spaced(*list, d, steps[i])
	}
	return f
}

// spaced lists, behind every offset, n of them step apart.
func spaced(offsets []int, n, step int) []int {
	out := make([]int, 0, len(offsets)*n)
	for _, o := range offsets {
		for i := range n {
			out = append(out, o+i*step)
		}
	}
	return out
}

// expansion is the folding of an array of dimensions dims to one of dimensions from,
// as many, which are 1 where it is repeated.
func expansion(dims, from []int) folding {
	folded := make([]bool, len(dims))
	for i, d := range dims {
		folded[i] = from[i] == 1 && d != 1
	}
	return foldingOf(dims, folded)
}

// count is how many elements of the larger array one of the smaller has.
func (f *folding) count() int {
	if f.rows {
		return f.run * len(f.fold)
	}
	return len(f.fold)
}

// width is how many elements of the smaller array belong to one index of keep.
func (f *folding) width() int {
	if f.rows {
		return 1
	}
	return f.run
}

// piece is how many elements of a run one task sums at least, where few runs would
// leave threads idle.
const piece = 128

// sum writes scale times the sums of src to dst. pre, if not nil, is applied to
// elements first.
func (f *folding) sum(dst, src func() []float32, scale float32, pre func(t, x []float32)) work {
	if f.rows {
		return f.sumRows(dst, src, scale, pre)
	}
	return f.sumColumns(dst, src, scale, pre)
}

func (f *folding) sumRows(dst, src func() []float32, scale float32, pre func(t, x []float32)) work {
	each := max(1, grain/max(1, f.count()))
	w := spanBy(len(f.keep), each, nil)
	w.scratch = chunk
	w.run = func(task int, t []float32) {
		d, s := dst(), src()
		for o := task * each; o < min(len(f.keep), (task+1)*each); o++ {
			sum := 0.0
			for _, r := range f.fold {
				sum += f.sumRun(s[f.keep[o]+r:][:f.run], t, pre)
			}
			d[o] = scale * float32(sum)
		}
	}
	return w
}

func (f *folding) sumRun(x, t []float32, pre func(t, x []float32)) (sum float64) {
	if pre == nil {
		return float64(kernel.RowSum(x))
	}
	for i := 0; i < len(x); i += chunk {
		part := x[i:min(i+chunk, len(x))]
		pre(t[:len(part)], part)
		sum += float64(kernel.RowSum(t[:len(part)]))
	}
	return sum
}

// addends is how many rows are summed before the sum is added to those of others, so
// that rounding errors grow slowly.
const addends = 64

func (f *folding) sumColumns(dst, src func() []float32, scale float32, pre func(t, x []float32)) work {
	pieces := 1
	if len(f.keep) == 1 {
		pieces = max(1, min(f.run/piece, 16))
	}
	width := (f.run + pieces - 1) / pieces
	w := spanBy(len(f.keep)*pieces, 1, nil)
	w.scratch = 2 * width
	w.run = func(task int, t []float32) {
		lo := min(task%pieces*width, f.run)
		n := min(width, f.run-lo)
		d := dst()[task/pieces*f.run+lo:][:n]
		f.sumPiece(d, src()[f.keep[task/pieces]+lo:], t[:n], t[width:width+n], pre)
		kernel.Mul.RunScalar(d, d, scale)
	}
	return w
}

// sumPiece sums columns of src, whose rows begin at f.fold; t and u are as long as d.
func (f *folding) sumPiece(d, src, t, u []float32, pre func(t, x []float32)) {
	clear(d)
	n := len(d)
	for r := 0; r < len(f.fold); r += addends {
		clear(t)
		for _, at := range f.fold[r:min(r+addends, len(f.fold))] {
			x := src[at : at+n]
			if pre != nil {
				pre(u, x)
				x = u
			}
			kernel.Add.Run(t, t, x)
		}
		kernel.Add.Run(d, d, t)
	}
}

// repeat writes scale times the elements of src to all elements of dst that belong
// to them.
func (f *folding) repeat(dst, src func() []float32, scale float32) work {
	each := max(1, grain/max(1, f.count()*f.width()))
	return spanBy(len(f.keep), each, func(lo, hi int) {
		d, s := dst(), src()
		for o := lo; o < hi; o++ {
			for _, r := range f.fold {
				part := d[f.keep[o]+r:][:f.run]
				switch {
				case f.rows:
					fill(part, scale*s[o])
				case scale == 1:
					copy(part, s[o*f.run:])
				default:
					kernel.Mul.RunScalar(part, s[o*f.run:(o+1)*f.run], scale)
				}
			}
		}
	})
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
