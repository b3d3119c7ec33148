package kernel

import "sync"

// ChannelSums is a planned reduction of dense pixels of c channels to one or two
// numbers for every channel, in slices that are cut by shape alone. The terms of a few
// pixels are summed in float32, all others in float64 and in a fixed order.
type ChannelSums struct {
	pixels, c int
	fused     int // pixels that loops take as one row
	width     int // of the sums of such a row, whole lines
	slices    int
}

// sumBlock is how many rows are summed in float32.
const sumBlock = 32

// NewChannelSums plans a reduction of pixels of c channels.
func NewChannelSums(pixels, c int) *ChannelSums {
	s := &ChannelSums{pixels: pixels, c: c, fused: fusedPixels(c)}
	s.width = (s.fused*c + lineFloats - 1) / lineFloats * lineFloats
	s.slices = max(1, min(32, pixels*c/(1<<15)))
	return s
}

// fusedPixels is how many pixels make a row that is worth a loop: of short ones so many
// that they fill whole registers.
func fusedPixels(c int) int {
	if c >= 4*lineFloats || c < 1 {
		return 1
	}
	unit := lineFloats / gcd(lineFloats, c)
	return (4*lineFloats/c + unit) / unit * unit
}

// Tasks is the number of independent tasks of Moments, Grads and Totals.
func (s *ChannelSums) Tasks() int { return s.slices }

// PartialFloats is how much memory all tasks share for their sums.
func (s *ChannelSums) PartialFloats() int { return s.slices*s.sliceFloats() + 1 }

func (s *ChannelSums) sliceFloats() int { return 2 * 2 * s.width }

// sums is the memory of one task: both sums of every element of a row.
func (s *ChannelSums) sums(partial []float32, task int) (first, second []float64) {
	f := float64s(partial, s.slices*s.sliceFloats()/2)[task*2*s.width : (task+1)*2*s.width]
	return f[:s.width], f[s.width:]
}

// each cuts the pixels of a task into blocks of rows.
func (s *ChannelSums) each(task int, f func(from, n, rows int)) {
	all, n := (s.pixels+s.fused-1)/s.fused, s.fused*s.c
	r, end := task*all/s.slices, (task+1)*all/s.slices
	whole := min(end, s.pixels/s.fused)
	for ; r < whole; r += sumBlock {
		f(r*n, n, min(sumBlock, whole-r))
	}
	if whole < end {
		f(whole*n, s.pixels*s.c-whole*n, 1)
	}
}

// Pivot writes numbers near the means of all channels, means over a few pixels, about
// which Moments sums without cancellation.
func (s *ChannelSums) Pivot(pivot, x []float32) {
	n := min(s.pixels, 32)
	clear(pivot[:s.c])
	for i := range n {
		row := x[i*s.pixels/n*s.c:][:s.c]
		for j, v := range row {
			pivot[j] += v / float32(n)
		}
	}
}

// Moments sums x-pivot and its square over the pixels of one task.
func (s *ChannelSums) Moments(task int, partial, x, pivot []float32) {
	p := rowsPool.Get().(*rowParams)
	p.fill(s.fused, pivot[:s.c])
	first, second := s.sums(partial, task)
	clear(first)
	clear(second)
	loop := pick(momentsLoops)
	s.each(task, func(from, n, rows int) { loop(first, second, x[from:from+n*rows], p.row[0][:n], rows) })
	rowsPool.Put(p)
}

// Means adds up what Moments left: the mean and the variance, divided by the number of
// pixels, of every channel.
func (s *ChannelSums) Means(mean, variance, partial, pivot []float32) {
	n := float64(max(1, s.pixels))
	for j := range s.c {
		first, second := s.total(partial, j)
		d := first / n
		mean[j] = float32(float64(pivot[j]) + d)
		variance[j] = float32(max(second/n-d*d, 0))
	}
}

// Grads sums g and g·(x-mean) over the pixels of one task, where g is dy, or 0 where
// the normalised value does not lie between lo and hi.
func (s *ChannelSums) Grads(task int, partial, dy, x []float32, n *Normalization) {
	p := rowsPool.Get().(*rowParams)
	p.fill(s.fused, n.Mean[:s.c], n.Scale[:s.c], n.Shift[:s.c])
	first, second := s.sums(partial, task)
	clear(first)
	clear(second)
	lo, hi := n.limits()
	loop := pick(normGradSumsLoops)
	s.each(task, func(from, m, rows int) {
		loop(first, second, dy[from:from+m*rows], x[from:from+m*rows], p.row[0][:m], p.row[1], p.row[2], rows, lo, hi)
	})
	rowsPool.Put(p)
}

// Totals sums x over the pixels of one task.
func (s *ChannelSums) Totals(task int, partial, x []float32) {
	first, second := s.sums(partial, task)
	clear(first)
	clear(second)
	loop := pick(totalsLoops)
	s.each(task, func(from, n, rows int) { loop(first, x[from:from+n*rows], n, rows) })
}

// Sums adds up what Grads or Totals left; second may be nil.
func (s *ChannelSums) Sums(first, second, partial []float32) {
	for j := range s.c {
		a, b := s.total(partial, j)
		if first[j] = float32(a); second != nil {
			second[j] = float32(b)
		}
	}
}

// total adds all slices of channel j.
func (s *ChannelSums) total(partial []float32, j int) (a, b float64) {
	for task := range s.slices {
		first, second := s.sums(partial, task)
		for i := range s.fused {
			a += first[i*s.c+j]
			b += second[i*s.c+j]
		}
	}
	return a, b
}

// rowParams are numbers of every channel, repeated for every pixel of a row.
type rowParams struct{ row [5][]float32 }

var rowsPool = sync.Pool{New: func() any { return new(rowParams) }}

func (p *rowParams) fill(fused int, params ...[]float32) {
	for i, x := range params {
		p.row[i] = p.row[i][:0]
		for range fused {
			p.row[i] = append(p.row[i], x...)
		}
	}
}

// Loops over rows of len(pivot) or n elements, which follow each other. They add to
// sums, which have room for whole lines.
type (
	momentsLoop      func(sum, square []float64, x, pivot []float32, rows int)
	totalsLoop       func(sum []float64, x []float32, n, rows int)
	normGradSumsLoop func(sum, product []float64, dy, x, mean, scale, shift []float32, rows int, lo, hi float32)
)

var (
	momentsLoops      = append(archMoments, impl[momentsLoop]{"f32_1_go", 0, momentsGo})
	totalsLoops       = append(archTotals, impl[totalsLoop]{"f32_1_go", 0, totalsGo})
	normGradSumsLoops = append(archNormGradSums, impl[normGradSumsLoop]{"f32_1_go", 0, normGradSumsGo})
)

func momentsGo(sum, square []float64, x, pivot []float32, rows int) {
	for r := range rows {
		row := x[r*len(pivot):][:len(pivot)]
		for j, v := range row {
			d := float64(v - pivot[j])
			sum[j] += d
			square[j] += d * d
		}
	}
}

func totalsGo(sum []float64, x []float32, n, rows int) {
	for r := range rows {
		for j, v := range x[r*n : (r+1)*n] {
			sum[j] += float64(v)
		}
	}
}

func normGradSumsGo(sum, product []float64, dy, x, mean, scale, shift []float32, rows int, lo, hi float32) {
	n := len(mean)
	for r := range rows {
		for j := range n {
			d := x[r*n+j] - mean[j]
			if y := float32(d*scale[j]) + shift[j]; y > lo && y < hi {
				sum[j] += float64(dy[r*n+j])
				product[j] += float64(dy[r*n+j]) * float64(d)
			}
		}
	}
}
