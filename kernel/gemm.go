package kernel

import (
	"fmt"
	"math"
)

// GemmShape is the shape of C[M,N] = A[M,K]·B[K,N]: row-major, LDA, LDC and
// LDR elements from one row of A, of C and of the residual to the next. Zero
// strides mean dense rows (LDA = K, LDC = LDR = N).
type GemmShape struct {
	M, N, K       int
	LDA, LDC, LDR int
}

// Gemm is a planned matrix product.
type Gemm struct {
	s            GemmShape
	blocks       [][]seg
	rowsPerTask  int
	panelsPerJob int
	rowTasks     int
	panelTasks   int
	// pitch is the row length of a copy of A that does not alias; 0: no copy.
	pitch int
}

// NewGemm plans a product of the shape.
func NewGemm(s GemmShape) (*Gemm, error) {
	if s.M < 0 || s.N < 0 || s.K < 0 {
		return nil, fmt.Errorf("gemm %dx%dx%d: negative size", s.M, s.N, s.K)
	}
	for _, d := range []struct {
		ld  *int
		min int
	}{{&s.LDA, s.K}, {&s.LDC, s.N}, {&s.LDR, s.N}} {
		if *d.ld == 0 {
			*d.ld = d.min
		}
		if *d.ld < d.min {
			return nil, fmt.Errorf("gemm %dx%dx%d: row stride %d is shorter than a row of %d", s.M, s.N, s.K, *d.ld, d.min)
		}
	}
	g := &Gemm{s: s, blocks: blockSegs([]seg{{0, s.K}}, pickTile().kBlock)}
	if s.M == 0 || s.N == 0 {
		return g, nil
	}
	panels := (s.N + pickTile().nr - 1) / pickTile().nr
	want := taskCount(2 * float64(s.M) * float64(s.N) * float64(s.K))
	// Rows of one task, times K, should stay in the second cache, and offsets
	// in 32 bits.
	g.rowsPerTask = min(s.M, max(48, aFloats/max(1, s.K)), math.MaxInt32/max(1, s.LDA))
	g.rowsPerTask = max(1, g.rowsPerTask)
	g.rowTasks = (s.M + g.rowsPerTask - 1) / g.rowsPerTask
	if g.rowTasks < want {
		g.rowTasks = min(want, max(g.rowTasks, s.M/48))
	}
	g.rowsPerTask = (s.M + g.rowTasks - 1) / g.rowTasks
	g.rowTasks = (s.M + g.rowsPerTask - 1) / g.rowsPerTask
	if aliases(s.LDA, 4) && s.M > 1 && panels >= 4 {
		g.pitch = apart(s.K, 4)
	}
	g.panelTasks = min(panels, max(1, (want+g.rowTasks-1)/g.rowTasks))
	if g.pitch > 0 {
		// Every task copies its rows; enough columns must share the copy.
		g.panelTasks = min(g.panelTasks, max(1, s.N/128))
	}
	g.panelsPerJob = (panels + g.panelTasks - 1) / g.panelTasks
	g.panelTasks = (panels + g.panelsPerJob - 1) / g.panelsPerJob
	return g, nil
}

// aFloats is how many elements of the left-hand operand one task should touch.
const aFloats = 96 << 10

// taskCount is how many tasks an amount of work is worth: one, or an even number,
// so that two threads have the same to do.
func taskCount(flops float64) int { return max(1, int(min(flops/1e6, 32)+1)&^1) }

// Tasks is the number of independent tasks; they write disjoint parts of C.
func (g *Gemm) Tasks() int { return g.rowTasks * g.panelTasks }

// ScratchFloats is how much scratch one running task needs.
func (g *Gemm) ScratchFloats() int { return g.rowsPerTask * (1 + g.pitch) }

// Run computes one task: c = act(clamp(a·b + bias + residual)). b must be packed
// for the same K and N.
func (g *Gemm) Run(task int, c, a []float32, b *Panels, ep *Epilogue, scratch []float32) {
	if b.k != g.s.K || b.n != g.s.N {
		panic(fmt.Sprintf("kernel: panels of a %dx%d matrix in a product with K=%d, N=%d", b.k, b.n, g.s.K, g.s.N))
	}
	r0 := task / g.panelTasks * g.rowsPerTask
	r1 := min(r0+g.rowsPerTask, g.s.M)
	rows := int32s(scratch, r1-r0)
	src, ld := a[r0*g.s.LDA:], g.s.LDA
	if g.pitch > 0 {
		band := scratch[len(rows):]
		copyPixels(band, src, len(rows), g.s.K, g.pitch, ld)
		src, ld = band, g.pitch
	}
	for i := range rows {
		rows[i] = int32(i * ld)
	}
	e := *ep
	if e.Residual != nil {
		e.Residual = e.Residual[r0*g.s.LDR:]
	}
	p := product{tile: b.tile, src: src, rows: rows, blocks: g.blocks,
		dst: c[r0*g.s.LDC:], ldc: g.s.LDC, ldr: g.s.LDR, ep: e}
	t := tilePool.Get().(*tileArgs)
	j0 := task % g.panelTasks * g.panelsPerJob
	j1 := min(j0+g.panelsPerJob, b.Count())
	step := p.chunk((j1 - j0) * b.tile.nr * g.s.K)
	for r := 0; r < len(rows); r += step {
		for j := j0; j < j1; j++ {
			data, w := b.panel(j)
			p.run(t, r, min(r+step, len(rows)), data, w, j*b.tile.nr, min(w, b.n-j*b.tile.nr))
		}
		p.act(r, min(r+step, len(rows)), j0*b.tile.nr, min(j1*b.tile.nr, b.n))
	}
	*t = tileArgs{}
	tilePool.Put(t)
}
