package kernel

import (
	"errors"
	"fmt"

	"pare/internal/hugepage"
)

// IntWinogradWeights are 3x3 filters of integers, transformed for tiles of m×m
// outputs: for every panel of output channels and every one of (m+2)² taps the
// panel of the matrix [C, O], in this order, with zeros up to a multiple of sixteen
// channels. They serve any batch and image size.
type IntWinogradWeights struct {
	m, c, o int
	depth   int // channels, with those that have no weights
	zero    uint8
	tile    *intTile // of the products
	sums    *intTile // of their ends
	loops   intWinogradLoops
	panels  []intPanel // data of words
}

// ErrIntWinograd says that sums of these weights may pass what the form holds.
var ErrIntWinograd = errors.New("sums too large for Winograd's form")

// depth is the channels rounded up to what kernels of words take.
func (s *ConvShape) depth() int { return (s.C + 15) / 16 * 16 }

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
	taps, cols := (m+2)*(m+2), padded(t.panels, s.O)
	p := &IntWinogradWeights{m: m, c: s.C, o: s.O, depth: s.depth(), zero: zero, tile: t, sums: pickIntTile(sumsTiles), loops: pickIntWinograd(m)}
	data := rawBytes(hugepage.Float32s(taps * p.depth * cols / 2))
	filters := make([]int8, 9*p.depth*t.nr())
	for j := 0; j < s.O; j += t.nr() {
		width := narrowest(t.panels, s.O-j).width
		n := 2 * taps * p.depth * width
		panel := intPanel{width: width, data: signedBytes(data[:n]), start: make([]int32, width)}
		p.pack(&panel, filters, w[j*s.C*9:min(s.O, j+width)*s.C*9])
		p.panels, data = append(p.panels, panel), data[n:]
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

// pack fills one panel: filters, of which two channels lie side by side tap by tap,
// and then their transform.
func (p *IntWinogradWeights) pack(panel *intPanel, filters, w []int8) {
	n := p.depth * panel.width
	clear(filters)
	for o := range len(w) / (9 * p.c) {
		sum := 0
		for k := range p.c {
			at := (k/2*panel.width+o)*2 + k%2
			for _, v := range w[(o*p.c+k)*9:][:9] {
				filters[at] = v
				sum, at = sum+int(v), at+n
			}
		}
		panel.start[o] = int32(-sum * int(p.zero))
	}
	p.loops.filter(shorts(bytesOf(panel.data)), filters, n, n)
}
