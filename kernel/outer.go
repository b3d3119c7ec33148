package kernel

import (
	"sync"

	"pare/internal/cpu"
)

// outerArgs is one call of a tile kernel of sums of outer products, which computes a
// number of tiles of m rows one below the other: for rows i < m·tiles and columns j of a
// panel,
//
//	c[i·width+j] = Σ_l Σ_p a[lines[l].a + p·aStep + i] · b[lines[l].b + p·bStep + j]
//
// over p < px, plus what c holds if add. Kernels use tiles up and count aDone and cDone.
// Assembly reads this struct by offset
// (TestArgsLayout).
type outerArgs struct {
	a, b, c      []float32
	lines        []outerLine
	aStep, bStep int
	px           int
	tiles        int
	add          bool
	// Bytes of a and c that tiles before have passed. Kernels must not move the slices
	// themselves: behind the last tile they would point past their memory, which the
	// garbage collector does not allow.
	aDone, cDone int
}

// outerLine is where a line of pixels starts in both operands.
type outerLine struct{ a, b int32 }

// outerTile is a row of the table of micro-kernels for sums of outer products, which
// has kernels for panels of several widths, narrowest first.
type outerTile struct {
	name   string
	needs  cpu.Features
	panels []panelKernel[outerArgs]
}

// outerTiles is ordered best first; the last row runs everywhere.
var outerTiles = append(archOuter, outerTile{
	name: "f32_1x4_go", panels: []panelKernel[outerArgs]{{4, 8, outerGo}},
})

func pickOuter() *outerTile {
	for i := range outerTiles {
		if cpu.Has(outerTiles[i].needs) {
			return &outerTiles[i]
		}
	}
	panic("kernel: no portable tile")
}

var outerPool = sync.Pool{New: func() any { return new(outerArgs) }}

// width is that of the widest panels.
func (t *outerTile) width() int { return t.panels[len(t.panels)-1].width }

// outerGo is the portable tile, one row of four columns at a time.
func outerGo(m int, t *outerArgs) {
	for i := 0; i < m*t.tiles; i++ {
		c := t.c[4*i : 4*i+4 : 4*i+4]
		var s0, s1, s2, s3 float32
		if t.add {
			s0, s1, s2, s3 = c[0], c[1], c[2], c[3]
		}
		for _, l := range t.lines {
			a, b := t.a[int(l.a)+i:], t.b[l.b:]
			for p := range t.px {
				x, y := a[p*t.aStep], b[p*t.bStep:p*t.bStep+4:p*t.bStep+4]
				s0 += x * y[0]
				s1 += x * y[1]
				s2 += x * y[2]
				s3 += x * y[3]
			}
		}
		c[0], c[1], c[2], c[3] = s0, s1, s2, s3
	}
}

// rows computes n rows in tiles of nearly equal height.
func (t *outerArgs) rows(k *panelKernel[outerArgs], n int) {
	count := (n + k.mr - 1) / k.mr
	low := n / count
	for _, part := range [2]stack{{low + 1, n - low*count}, {low, count - (n - low*count)}} {
		if part.tiles > 0 {
			rows := part.rows * part.tiles
			a, c := t.a, t.c
			t.tiles, t.aDone, t.cDone = part.tiles, 0, 0
			k.run(part.rows, t)
			t.a, t.c = a[rows:], c[rows*k.width:]
		}
	}
}
