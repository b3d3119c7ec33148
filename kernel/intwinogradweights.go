package kernel

import (
	"errors"
	"fmt"
	"unsafe"

	"pare/internal/hugepage"
)

// IntWinogradWeights are 3x3 filters of integers, transformed for tiles of m×m
// outputs: for every panel of output channels and every one of (m+2)² taps the
// panel of the matrix [C, O], in this order. They serve any batch and image size.
type IntWinogradWeights struct {
	m, c, o int
	zero    uint8
	tile    *intTile // of the products
	sums    *intTile // of their ends
	load    intWinogradInLoop
	store   intWinogradOutLoop
	panels  []intPanel // data of words
}

// ErrIntWinograd says that sums of these weights may pass what the form holds.
var ErrIntWinograd = errors.New("sums too large for Winograd's form")

// PackIntWinograd transforms and packs filters in OIHW order, [O][C][3][3], for
// tiles of m×m outputs, m being 2 or 4, and for sources with the given zero
// point. Where a sum may pass 25 bits (m = 4) or 29, the error is ErrIntWinograd.
func PackIntWinograd(s ConvShape, m int, w []int8, zero uint8) (*IntWinogradWeights, error) {
	if err := s.checkIntWinograd(m); err != nil {
		return nil, err
	}
	if len(w) != s.O*s.C*9 {
		return nil, fmt.Errorf("convolution weights: %d elements for [%d,%d,3,3]", len(w), s.O, s.C)
	}
	if most := intWinogradSum(s.O, w); most >= intWinogradMost(m) {
		return nil, fmt.Errorf("tiles of %dx%d outputs: a channel sums up to %d: %w", m, m, most, ErrIntWinograd)
	}
	t := pickIntTile(shortTiles)
	p := &IntWinogradWeights{m: m, c: s.C, o: s.O, zero: zero, tile: t, sums: pickIntTile(sumsTiles)}
	p.load, p.store = intWinogradLoops(m)
	taps := (m + 2) * (m + 2)
	data := hugepage.Float32s(taps * s.C / 2 * padded(t.panels, s.O))
	for j := 0; j < s.O; j += t.nr() {
		width := narrowest(t.panels, s.O-j).width
		words := data[:taps*s.C/2*width]
		data = data[len(words):]
		panel := intPanel{width: width, data: unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(words))), 4*len(words)), start: make([]int32, width)}
		packIntWinograd(&panel, m, w[j*s.C*9:min(s.O, j+width)*s.C*9], s.C, zero)
		p.panels = append(p.panels, panel)
	}
	return p, nil
}

// intWinogradMost bounds the sums of codes, before zero points, that tiles of m×m
// outputs hold.
func intWinogradMost(m int) int {
	if m == 4 {
		return 1 << (31 - 6)
	}
	return 1 << (31 - 2)
}

// intWinogradSum is the largest magnitude that a sum of codes can have.
func intWinogradSum(o int, w []int8) int {
	most := 0
	for i := range o {
		plus, minus := 0, 0
		for _, v := range w[i*len(w)/o : (i+1)*len(w)/o] {
			plus, minus = plus+max(int(v), 0), minus+max(-int(v), 0)
		}
		most = max(most, 255*plus, 255*minus)
	}
	return most
}

// Bytes is the memory that the packed weights take.
func (p *IntWinogradWeights) Bytes() int {
	n := 0
	for _, panel := range p.panels {
		n += len(panel.data) + 4*len(panel.start)
	}
	return n
}

// packIntWinograd transforms the filters of one panel; two channels lie side by
// side.
func packIntWinograd(p *intPanel, m int, w []int8, c int, zero uint8) {
	edge, cols := m+2, len(w)/(9*c)
	line := make([]int16, edge*edge*2*p.width)
	dst := unsafe.Slice((*int16)(unsafe.Pointer(unsafe.SliceData(p.data))), len(p.data)/2)
	for k := 0; k < c; k += 2 {
		for o := range cols {
			for i := range 2 {
				f := w[(o*c+k+i)*9:][:9:9]
				transformIntFilter(line[2*o+i:], 2*p.width, f, m)
				for _, v := range f {
					p.start[o] -= int32(v) * int32(zero)
				}
			}
		}
		for tap := range edge * edge {
			copy(dst[(tap*c+k)*p.width:][:2*p.width], line[tap*2*p.width:])
		}
	}
}

// transformIntFilter writes the transform of a filter, step elements apart.
func transformIntFilter(dst []int16, step int, w []int8, m int) {
	var rows [3][6]int32
	for y := range rows {
		rows[y] = intFilterLine(m, int32(w[3*y]), int32(w[3*y+1]), int32(w[3*y+2]))
	}
	edge := m + 2
	for x := range edge {
		col := intFilterLine(m, rows[0][x], rows[1][x], rows[2][x])
		for y := range edge {
			dst[(y*edge+x)*step] = int16(col[y])
		}
	}
}
