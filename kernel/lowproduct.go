package kernel

import (
	"math"
	"sync"
	"unsafe"
)

// LowGemm is a planned product C[M,N] = A[M,K]·B[K,N] of few rows of floats with
// packed codes. Rows of A become fixed-point numbers of three planes of bytes,
// whose sums with the levels are exact. An element of A changes by at most 2^-23
// of the largest magnitude of its row, by 2^-20 with AVX2 where levels pass 64, or
// 32 of codes of two bits; rows that are not finite are computed with floats.
type LowGemm struct {
	m              int
	w              *LowWeights
	panelsPerTask  int
	panels, tasks  int
	chunk          int // rows at a time
	planes, extras int // floats of a row: its planes; its unit and the sums of its blocks
}

// planesPerRow is the planes that a row becomes.
const planesPerRow = 3

// lowTaskBytes is how many bytes of weights make a task worth its while.
const lowTaskBytes = 64 << 10

// NewLowGemm plans a product of m rows.
func NewLowGemm(m int, w *LowWeights) *LowGemm {
	g := &LowGemm{m: m, w: w, panels: (w.n + w.tile.width() - 1) / w.tile.width()}
	want := min(32, max(1, m*len(w.data)/lowTaskBytes))
	g.panelsPerTask = (g.panels + want - 1) / want
	g.tasks = (g.panels + g.panelsPerTask - 1) / g.panelsPerTask
	g.chunk = min(m, max(1, w.tile.mr/planesPerRow))
	g.planes, g.extras = (planesPerRow*w.rows()+3)/4, 1+w.blocks
	return g
}

// Tasks is the number of independent tasks; they write disjoint parts of C.
func (g *LowGemm) Tasks() int { return g.tasks }

// FixedFloats is how much memory the fixed-point rows take.
func (g *LowGemm) FixedFloats() int { return g.m * (g.planes + g.extras) }

// ScratchFloats is how much scratch one running task needs.
func (g *LowGemm) ScratchFloats() int {
	return g.w.tile.width()*(1+g.w.blocks*planesPerRow*g.chunk) + lineFloats
}

// extra is the unit of row r and the sums of its blocks.
func (g *LowGemm) extra(fixed []float32, r int) []float32 {
	return fixed[g.m*g.planes+r*g.extras:][:g.extras]
}

// Fix turns row r of A, K elements, into fixed-point numbers.
func (g *LowGemm) Fix(r int, fixed, a []float32) {
	w := g.w
	planes, extra := rawBytes(fixed[r*g.planes:][:g.planes]), g.extra(fixed, r)
	digits := planesPerRow*w.planeBits - 1
	size := RowSize(a)
	if !(size <= math.MaxFloat32) {
		extra[0] = float32(math.NaN())
		return
	}
	_, e := math.Frexp(float64(size))
	e = max(e, digits-149) // below, the unit is no float32
	extra[0] = float32(math.Ldexp(1, e-digits))
	n, padded := w.rows(), w.steps*lowStep(w.bits)
	top, mid, low := planes[:n], planes[n:2*n], planes[2*n:3*n]
	for b := range w.blocks {
		x := a[b*w.block : min((b+1)*w.block, w.k)]
		to := b * padded
		extra[1+b] = split(top[to:to+len(x)], mid[to:], low[to:], x, math.Ldexp(1, digits-e), w.planeBits)
		for _, p := range [][]uint8{top, mid, low} {
			clear(p[to+len(x) : to+padded])
		}
	}
}

// split rounds x times factor to integers, which it returns the sum of, and stores
// them, with an offset that makes them positive, as three planes of so many bits.
func split(top, mid, low []uint8, x []float32, factor float64, bits int) float32 {
	const magic = 3 << 51 // adding it leaves an integer in the low bits
	half := int64(1) << (planesPerRow*bits - 1)
	mask, sum := uint64(1)<<bits-1, int64(0)
	mid, low = mid[:len(x)], low[:len(x)]
	for i, v := range x {
		q := int64(math.Float64bits(float64(float64(v)*factor)+magic)) - 0x4338000000000000
		q = min(q, half-1)
		sum += q
		u := uint64(q + half)
		top[i], mid[i], low[i] = uint8(u>>(2*bits&63)), uint8(u>>(bits&63)&mask), uint8(u&mask)
	}
	return float32(sum)
}

// lowLoan is the arguments of a task.
type lowLoan struct {
	sum   lowArgs
	worth worthArgs
}

var lowLoanPool = sync.Pool{New: func() any { return new(lowLoan) }}

// Run computes one task: c = act(clamp(a·b + bias + residual)), dense rows. fixed holds
// all rows of a, from Fix.
func (g *LowGemm) Run(task int, c, a, fixed []float32, ep *Epilogue, scratch []float32) {
	l := lowLoanPool.Get().(*lowLoan)
	last := min((task+1)*g.panelsPerTask, g.panels)
	for i := task * g.panelsPerTask; i < last; i++ {
		for r := 0; r < g.m; r += g.chunk {
			g.onePanel(l, i, r, min(r+g.chunk, g.m), c, a, fixed, ep, scratch)
		}
	}
	*l = lowLoan{}
	lowLoanPool.Put(l)
}

// onePanel multiplies rows r0 ≤ r < r1 by panel i.
func (g *LowGemm) onePanel(l *lowLoan, i, r0, r1 int, c, a, fixed []float32, ep *Epilogue, scratch []float32) {
	w, width := g.w, g.w.tile.width()
	scratch = lined(scratch)
	y, sums := scratch[:width], int32s(scratch[width:], w.blocks*planesPerRow*(r1-r0)*width)
	rows := planesPerRow * (r1 - r0)
	l.sum = lowArgs{src: first(rawBytes(fixed), 4*r0*g.planes), lds: w.rows(), b: first(w.panel(i), 0), levels: &w.levels[0],
		sums: first(sums, 0), steps: w.steps, blocks: w.blocks, flush: w.flush}
	at := w.at(0, i*width)
	l.sum.near = [3]unsafe.Pointer{pointer(w.scale[at:]), pointer(w.offset[at:])}
	if w.shift != nil {
		l.sum.near[2] = pointer(w.shift[at:])
	}
	w.tile.sum(w.bits, rows, &l.sum)
	j := i * width
	cols := min(width, w.n-j)
	for r := r0; r < r1; r++ {
		extra, out := g.extra(fixed, r), c[r*w.n+j:][:cols]
		if extra[0] != extra[0] {
			w.floatRow(y[:cols], a[r*w.k:][:w.k], j)
			ep.finish(out, y, r*w.n+j, j, 1)
			continue
		}
		l.worth = worthArgs{dst: first(y, 0), sums: first(sums, planesPerRow*(r-r0)*width), pitch: 4 * rows * width,
			scale: first(w.scale, at), offset: first(w.offset, at), data: first(extra, 1),
			blocks: w.blocks, step: float32(int(1) << w.planeBits)}
		if w.shift != nil {
			l.worth.shift = first(w.shift, at)
		}
		w.tile.worth(&l.worth)
		ep.finish(out, y, r*w.n+j, j, extra[0])
	}
}

// floatRow multiplies a row of floats by the columns from j on.
func (p *LowWeights) floatRow(dst, x []float32, j int) {
	for i := range dst {
		sum := float32(0)
		for k, v := range x {
			sum += v * p.weight(k, j+i)
		}
		dst[i] = sum
	}
}

// finish stores sums, which it uses up, in units of a row, from column j and
// element at of the destination on.
func (e *Epilogue) finish(dst, sums []float32, at, j int, unit float32) {
	y := sums[:len(dst)]
	for i := range y {
		y[i] *= unit
	}
	if e.Bias != nil {
		addTo(y, e.Bias[j:])
	}
	if e.Residual != nil {
		addTo(y, e.Residual[at:])
	}
	if lo, hi := e.limits(); lo > -inf || hi < inf {
		for i, v := range y {
			y[i] = clampTo(v, lo, hi)
		}
	}
	if copy(dst, y); e.Act != nil {
		e.Act(dst, dst)
	}
}

func addTo(y, x []float32) {
	for i, v := range x[:len(y)] {
		y[i] += v
	}
}
