package kernel

import (
	"sync"

	"pare/internal/cpu"
)

// outerArgs is one call of a tile kernel of sums of outer products: for rows i < m and
// columns j of a panel,
//
//	c[i·width+j] = Σ_l Σ_p a[lines[l].a + p·aStep + i] · b[lines[l].b + p·bStep + j]
//
// over p < px, plus what c holds if add. Assembly reads this struct by offset
// (TestArgsLayout).
type outerArgs struct {
	a, b, c      []float32
	lines        []outerLine
	aStep, bStep int
	px           int
	add          bool
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
	name: "f32_2x4_go", panels: []panelKernel[outerArgs]{{2, 2, outerGo(2)}, {4, 2, outerGo(4)}},
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

// outerGo is the portable tile of two rows and up to four columns.
func outerGo(width int) func(m int, t *outerArgs) {
	return func(m int, t *outerArgs) {
		for i := range m {
			var sum [4]float32
			if t.add {
				copy(sum[:width], t.c[i*width:])
			}
			for _, l := range t.lines {
				for p := range t.px {
					x := t.a[int(l.a)+p*t.aStep+i]
					y := t.b[int(l.b)+p*t.bStep:][:width]
					for j, v := range y {
						sum[j] += x * v
					}
				}
			}
			copy(t.c[i*width:(i+1)*width], sum[:])
		}
	}
}
