package format

import (
	"math"

	"pare/internal/par"
)

// line holds weighted counts, sums and sums of squares of numbers in [-1, 1], so
// that what any levels on a grid of integers / top cost is known exactly: cells
// are half as wide as the grid, and thresholds between levels fall between
// cells. Entry i sums over the cells before i.
type line struct {
	top        int
	s0, s1, s2 []float64
}

func newLine(top int) *line {
	n := 4*top + 1
	return &line{top, make([]float64, n), make([]float64, n), make([]float64, n)}
}

// line counts all groups: some at a time, so many that the result does not
// depend on threads.
func (p groupParts) line(l layout, top, threads int) *line {
	n := min(mostLines, (len(p.data)+chunkElems-1)/chunkElems, l.groups)
	lines := make([]*line, n)
	par.Each(n, threads, func(i int) {
		from, to := i*l.groups/n, (i+1)*l.groups/n
		lines[i] = newLine(top)
		x, weights := gather(l, from, to, p.data), p.weights(l, from, to)
		for k := from; k < to; k++ {
			lines[i].group(x.of(k), weights(k))
		}
	})
	h := newLine(top)
	for _, part := range lines {
		h.add(part)
	}
	return h
}

// mostLines bounds the parts that groups are counted in.
const mostLines = 16

// group counts the elements of one group.
func (h *line) group(x, importance []float32) {
	m := absMax(x)
	if m < dead {
		return
	}
	cells, square := 4*h.top, float64(m)*float64(m)
	for i, v := range x {
		u, f := float64(v/m), square
		if importance != nil {
			f *= float64(importance[i])
		}
		c := min(cells-1, int((u+1)*float64(2*h.top)))
		h.s0[c] += f
		h.s1[c] += float64(f * u)
		h.s2[c] += float64(f * u * u)
	}
}

// add takes in what another line counted.
func (h *line) add(o *line) {
	for i := range h.s0 {
		h.s0[i] += o.s0[i]
		h.s1[i] += o.s1[i]
		h.s2[i] += o.s2[i]
	}
}

// sum turns counts per cell into sums over all cells before.
func (h *line) sum() {
	for _, s := range [][]float64{h.s0, h.s1, h.s2} {
		total := 0.0
		for i, v := range s {
			s[i] = total
			total += v
		}
	}
}

// cost is that of representing the cells from..to-1 by x.
func (h *line) cost(from, to int, x float64) float64 {
	return h.s2[to] - h.s2[from] - 2*x*(h.s1[to]-h.s1[from]) + x*x*(h.s0[to]-h.s0[from])
}

// choose returns the n integers from -top to top that, divided by top, have the
// least error as levels: dynamic programming over the places of levels, whose
// best predecessors grow with them.
func (h *line) choose(n int) []float32 {
	h.sum()
	places := 2*h.top + 1
	at := func(p int) float64 { return float64(p-h.top) / float64(h.top) }
	// between is what lies between two levels, each element at the nearer one.
	between := func(a, b int) float64 { return h.cost(2*a, a+b, at(a)) + h.cost(a+b, 2*b, at(b)) }
	best, next := make([]float64, places), make([]float64, places)
	from := make([][]int32, n)
	for p := range best {
		best[p] = h.cost(0, 2*p, at(p))
	}
	for k := 1; k < n; k++ {
		from[k] = make([]int32, places)
		for p := range next {
			next[p] = math.Inf(1)
		}
		var solve func(lo, hi, first, last int)
		solve = func(lo, hi, first, last int) {
			if lo > hi {
				return
			}
			mid := (lo + hi) / 2
			arg := first
			for a := max(first, k-1); a <= min(mid-1, last); a++ {
				if c := best[a] + between(a, mid); c < next[mid] {
					next[mid], arg = c, a
				}
			}
			from[k][mid] = int32(arg)
			solve(lo, mid-1, first, arg)
			solve(mid+1, hi, arg, last)
		}
		solve(k, places-1, k-1, places-2)
		best, next = next, best
	}
	p, least := 0, math.Inf(1)
	for q := n - 1; q < places; q++ {
		if c := best[q] + h.cost(2*q, 4*h.top, at(q)); c < least {
			p, least = q, c
		}
	}
	out := make([]float32, n)
	for k := n - 1; k >= 0; k-- {
		out[k] = float32(p - h.top)
		if k > 0 {
			p = int(from[k][p])
		}
	}
	return out
}

// polish moves levels on the grid to the means of the cells that they stand for
// (Lloyd's iteration) and returns them as numbers in [-1, 1].
func (h *line) polish(grid []float32) []float32 {
	x := make([]float64, len(grid))
	for i, g := range grid {
		x[i] = float64(g) / float64(h.top)
	}
	cells := 4 * h.top
	for range 20 {
		from := 0
		for i := range x {
			to := cells
			if i+1 < len(x) {
				to = min(cells, max(from, int(math.RoundToEven(((x[i]+x[i+1])/2+1)*float64(2*h.top)))))
			}
			if f := h.s0[to] - h.s0[from]; f > 0 {
				x[i] = (h.s1[to] - h.s1[from]) / f
			}
			from = to
		}
	}
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}
