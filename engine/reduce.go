package engine

import (
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// reduction folds rows, or rows into columns.
type reduction struct {
	name string
	row  func(src []float32) float32
	// columns folds n rows of c elements.
	columns func(n, c int) folder
}

// folder folds the rows of a matrix into one.
type folder interface {
	Tasks() int
	Run(task int, dst, src []float32)
}

func columnPool(n, c int) kernel.PoolShape {
	return kernel.PoolShape{N: 1, H: n, W: 1, C: c, KH: n, KW: 1}
}

func averages(n, c int) folder {
	p, err := kernel.NewAvgPool(columnPool(n, c))
	if err != nil {
		panic(err)
	}
	return p
}

func maxima(n, c int) folder {
	p, err := kernel.NewMaxPool(columnPool(n, c))
	if err != nil {
		panic(err)
	}
	return p
}

var (
	meanOf = reduction{"mean", func(x []float32) float32 { return kernel.RowSum(x) / float32(len(x)) }, averages}
	sumOf  = reduction{"sum", kernel.RowSum, sums}
	maxOf  = reduction{"max", kernel.RowMax, maxima}
)

// summing adds rows.
type summing struct{ n, c int }

func sums(n, c int) folder { return summing{n, c} }
func (summing) Tasks() int { return 1 }
func (s summing) Run(_ int, dst, src []float32) {
	copy(dst[:s.c], src[:s.c])
	for i := 1; i < s.n; i++ {
		kernel.Add.Run(dst[:s.c], dst[:s.c], src[i*s.c:(i+1)*s.c])
	}
}

// reduce emits a reduction along neighbouring axes, in the layout that the
// operand has.
func (b *builder) reduce(n *ir.Node, r reduction, axes []int) bool {
	x, y := n.In[0], n.Out[0]
	shape := b.val(x).shape
	first, last := axes[0], axes[len(axes)-1]
	if last-first != len(axes)-1 {
		return false
	}
	outer, inner := tensor.Len(shape[:first]), tensor.Len(shape[last+1:])
	count := tensor.Len(shape[first : last+1])
	from := place{}
	if b.isLast(x) && first == 2 && last == len(shape)-1 && b.val(x).last.dense(shape[1]) {
		from = b.last(x)
		outer, inner = shape[0], shape[1]
	} else {
		from = b.plain(x)
	}
	to := b.newPlain(y)
	if inner == 1 {
		b.reduceRows(n, r, from, to, outer, count)
	} else {
		b.reduceColumns(n, r, from, to, outer, count, inner)
	}
	return true
}

// reduceRows emits a reduction of rows of count elements.
func (b *builder) reduceRows(n *ir.Node, r reduction, from, to place, rows, count int) {
	perTask := max(1, chunk/count)
	b.emit(&step{node: n, kernel: r.name, tasks: (rows + perTask - 1) / perTask, flops: int64(rows * count),
		reads: []*buf{from.b}, writes: []*buf{to.b},
		task: func(f *frame, task int, _ []float32) {
			d, s := f.at(to), f.at(from)
			for i := task * perTask; i < min((task+1)*perTask, rows); i++ {
				d[i] = r.row(s[i*count : (i+1)*count])
			}
		}})
}

// reduceColumns emits a reduction of count rows of inner elements to one, for
// each of outer matrices.
func (b *builder) reduceColumns(n *ir.Node, r reduction, from, to place, outer, count, inner int) {
	fold := r.columns(count, inner)
	parts := fold.Tasks()
	b.emit(&step{node: n, kernel: r.name, tasks: outer * parts, flops: int64(outer * count * inner),
		reads: []*buf{from.b}, writes: []*buf{to.b},
		task: func(f *frame, task int, _ []float32) {
			i := task / parts
			fold.Run(task%parts, f.at(to)[i*inner:(i+1)*inner], f.at(from)[i*count*inner:])
		}})
}
