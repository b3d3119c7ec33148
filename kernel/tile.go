package kernel

import (
	"sync"

	"pare/internal/cpu"
)

// seg is a run of consecutive source elements that every row of a tile reads:
// n elements at offset off from the row's first element.
type seg struct {
	off, n int
}

// tileArgs is one call of a tile kernel, which computes a number of tiles of
// equal height one below the other: for rows r and columns j < n,
//
//	c[r*ldc+j] = min(max(bias[j] + res[r*ldr+j] + Σ_s Σ_k src[rows[r]+s.off+k]·b[...][j], lo), hi)
//
// where b holds one line of as many columns as the panel is wide per k, over
// all segments in order. A nil bias or res counts as zero; res may be c
// itself. Kernels use rows, c, res and tiles up. Assembly reads this struct by
// offset (TestArgsLayout).
type tileArgs struct {
	src      []float32
	rows     []int32
	segs     []seg
	b        []float32
	c        []float32
	bias     []float32
	res      []float32
	ldc, ldr int
	n        int
	lo, hi   float32
	tiles    int
	ahead    int // bytes from b to what is needed next
}

// tile is a row of the table of matrix micro-kernels, which has kernels for
// panels of several widths, narrowest first; nr is the last, which all panels
// but the last of a matrix have.
// Longer sums are cut into blocks of kBlock, so that a panel's share stays in
// the first or second cache while tiles pass over it.
type tile struct {
	name   string
	needs  cpu.Features
	nr     int
	kBlock int
	panels []panelKernel[tileArgs]
}

// panelKernel computes up to mr rows of a panel of width columns.
type panelKernel[A any] struct {
	width, mr int
	run       func(m int, t *A)
}

// narrowest is the first kernel that takes n columns, or the widest one.
func narrowest[A any](kernels []panelKernel[A], n int) *panelKernel[A] {
	for i := range kernels {
		if n <= kernels[i].width {
			return &kernels[i]
		}
	}
	return &kernels[len(kernels)-1]
}

// padded is n rounded up to whole panels of the widest kernel and a narrow one.
func padded[A any](kernels []panelKernel[A], n int) int {
	nr := kernels[len(kernels)-1].width
	whole := n / nr * nr
	if rest := n - whole; rest > 0 {
		whole += narrowest(kernels, rest).width
	}
	return whole
}

// tiles is ordered best first; the last row runs everywhere.
var tiles = append(archTiles, tile{
	name: "f32_2x4_go", nr: 4, kBlock: 512,
	panels: []panelKernel[tileArgs]{{2, 4, tileNarrowGo}, {4, 2, tileGo}},
})

func pickTile() *tile {
	for i := range tiles {
		if cpu.Has(tiles[i].needs) {
			return &tiles[i]
		}
	}
	panic("kernel: no portable tile")
}

// tilePool keeps argument blocks: they are passed through function values and
// would otherwise be allocated for every task.
var tilePool = sync.Pool{New: func() any { return new(tileArgs) }}

// kernel is the narrowest kernel for the panel that starts at column j of n.
func (t *tile) kernel(j, n int) *panelKernel[tileArgs] { return narrowest(t.panels, n-j) }

// paddedCols is n rounded up to whole panels.
func (t *tile) paddedCols(n int) int { return padded(t.panels, n) }

// tileGo is the portable 2x4 tile.
func tileGo(m int, t *tileArgs) {
	for r := range m * t.tiles {
		var s0, s1, s2, s3 float32
		b := t.b
		for _, g := range t.segs {
			at := int(t.rows[r]) + g.off
			src := t.src[at : at+g.n]
			for k, x := range src {
				w := b[4*k : 4*k+4 : 4*k+4]
				s0 += x * w[0]
				s1 += x * w[1]
				s2 += x * w[2]
				s3 += x * w[3]
			}
			b = b[4*g.n:]
		}
		t.finish(r, [4]float32{s0, s1, s2, s3})
	}
}

// tileNarrowGo is the portable 4x2 tile.
func tileNarrowGo(m int, t *tileArgs) {
	for r := range m * t.tiles {
		var s0, s1 float32
		b := t.b
		for _, g := range t.segs {
			at := int(t.rows[r]) + g.off
			src := t.src[at : at+g.n]
			for k, x := range src {
				w := b[2*k : 2*k+2 : 2*k+2]
				s0 += x * w[0]
				s1 += x * w[1]
			}
			b = b[2*g.n:]
		}
		t.finish(r, [4]float32{s0, s1})
	}
}

// finish adds bias and residual to one row of sums, clamps and stores it.
func (t *tileArgs) finish(r int, sum [4]float32) {
	for j := range t.n {
		v := sum[j]
		if t.bias != nil {
			v += t.bias[j]
		}
		if t.res != nil {
			v += t.res[r*t.ldr+j]
		}
		t.c[r*t.ldc+j] = clampTo(v, t.lo, t.hi)
	}
}

// clampTo is min(max(v, lo), hi) that keeps NaN.
func clampTo(v, lo, hi float32) float32 {
	if v < lo {
		v = lo
	}
	if v > hi {
		v = hi
	}
	return v
}
