package kernel

import (
	"fmt"

	"pare/internal/hugepage"
)

// WinogradWeights are 3x3 filters transformed for tiles of m×m outputs: for
// every panel of output channels and every one of (m+2)² taps the panel of the
// matrix [C, O], in this order. They serve any batch and image size.
type WinogradWeights struct {
	m, c, o int
	tile    *tile
	data    []float32
}

// PackWinograd transforms and packs filters in OIHW order, [O][C][3][3], for
// tiles of m×m outputs, m being 2 or 4. Sums run in float64 and are rounded
// once.
func PackWinograd(s ConvShape, m int, w []float32) (*WinogradWeights, error) {
	if err := s.checkWinograd(m); err != nil {
		return nil, err
	}
	if len(w) != s.O*s.C*9 {
		return nil, fmt.Errorf("convolution weights: %d elements for [%d,%d,3,3]", len(w), s.O, s.C)
	}
	p := newWinogradWeights(s, m)
	for j := 0; j < s.O; j += p.tile.nr {
		panel, width := p.panel(j / p.tile.nr)
		packWinogradPanel(panel, width, w[j*s.C*9:min(s.O, j+width)*s.C*9], s.C, winogradFilter(m))
	}
	return p, nil
}

func newWinogradWeights(s ConvShape, m int) *WinogradWeights {
	t, taps := pickTile(), (m+2)*(m+2)
	return &WinogradWeights{m: m, c: s.C, o: s.O, tile: t, data: hugepage.Float32s(taps * s.C * t.paddedCols(s.O))}
}

// Bytes is the memory that the packed weights take.
func (p *WinogradWeights) Bytes() int { return 4 * len(p.data) }

// panel is the packed data of panel i, all taps, and its width.
func (p *WinogradWeights) panel(i int) (data []float32, width int) {
	j, taps := i*p.tile.nr, (p.m+2)*(p.m+2)
	width = p.tile.kernel(j, p.o).width
	return p.data[taps*p.c*j : taps*p.c*(j+width)], width
}

// packWinogradPanel transforms the filters of one panel.
func packWinogradPanel(dst []float32, width int, w []float32, c int, g [][3]float64) {
	edge := len(g)
	line := make([]float32, edge*edge*width)
	for k := range c {
		for o := 0; o*c*9 < len(w); o++ {
			transformFilter(line[o:], width, w[(o*c+k)*9:][:9], g)
		}
		for tap := range edge * edge {
			copy(dst[(tap*c+k)*width:][:width], line[tap*width:])
		}
	}
}

// transformFilter writes G·w·Gᵀ, step elements apart.
func transformFilter(dst []float32, step int, w []float32, g [][3]float64) {
	var rows [3][6]float64
	for y := range rows {
		transformLine(&rows[y], float64(w[3*y]), float64(w[3*y+1]), float64(w[3*y+2]), g)
	}
	var col [6]float64
	for x := range g {
		transformLine(&col, rows[0][x], rows[1][x], rows[2][x], g)
		for y := range g {
			dst[(y*len(g)+x)*step] = float32(col[y])
		}
	}
}

// transformLine writes G·(a, b, c). Rows of opposite points differ in the sign
// of the middle alone.
func transformLine(dst *[6]float64, a, b, c float64, g [][3]float64) {
	last := len(g) - 1
	dst[0], dst[last] = g[0][0]*a, c
	for i := 1; i < last; i += 2 {
		even, odd := g[i][0]*a+g[i][2]*c, g[i][1]*b
		dst[i], dst[i+1] = even+odd, even-odd
	}
}

// winogradFilter is the matrix G of the filter transform for tiles of m×m
// outputs: powers of the points over Π(pᵢ-pⱼ), and the last power for infinity.
func winogradFilter(m int) [][3]float64 {
	points := []float64{0, 1, -1}
	if m == 4 {
		points = []float64{0, winoP, -winoP, winoQ, -winoQ}
	}
	var g [][3]float64
	for i, p := range points {
		scale := 1.0
		for j, q := range points {
			if j != i {
				scale /= p - q
			}
		}
		g = append(g, [3]float64{scale, p * scale, p * p * scale})
	}
	return append(g, [3]float64{0, 0, 1})
}
