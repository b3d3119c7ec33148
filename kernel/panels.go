package kernel

import (
	"errors"
	"fmt"
	"sync"

	"pare/internal/hugepage"
)

// Panels is the right-hand matrix of a product, packed for the tile of this
// machine: columns in panels of the tile's width, each panel one line of
// columns per k, zero-padded on the right. The last panel
// is as narrow as the tile has kernels for.
type Panels struct {
	k, n int
	tile *tile
	data []float32
}

var errShort = errors.New("slice too short")

// PanelFloats is the number of elements that Panels of a k×n matrix need.
func PanelFloats(k, n int) int { return k * pickTile().paddedCols(n) }

// NewPanels returns empty Panels for a k×n matrix over buf, which must have
// PanelFloats(k, n) elements and belongs to the Panels from then on; nil asks
// for a new buffer. Fill them with Pack or PackRange.
func NewPanels(k, n int, buf []float32) (*Panels, error) {
	if k < 0 || n < 0 {
		return nil, fmt.Errorf("panels of a %dx%d matrix: negative size", k, n)
	}
	t := pickTile()
	size := k * t.paddedCols(n)
	if buf == nil {
		buf = hugepage.Float32s(size)
	}
	if len(buf) < size {
		return nil, fmt.Errorf("panels of a %dx%d matrix: buffer of %d elements, need %d: %w", k, n, len(buf), size, errShort)
	}
	return &Panels{k: k, n: n, tile: t, data: buf[:size]}, nil
}

// Source is a matrix to be packed: element (k, j) is Data[k*LD+j], or
// Data[j*LD+k] if Trans. Alpha scales every element; 0 means 1.
type Source struct {
	Data  []float32
	LD    int
	Trans bool
	Alpha float32
}

// PackB packs a k×n matrix.
func PackB(k, n int, b Source) (*Panels, error) {
	p, err := NewPanels(k, n, nil)
	if err != nil {
		return nil, err
	}
	p.Pack(b)
	return p, nil
}

// Count is the number of panels.
func (p *Panels) Count() int { return (p.n + p.tile.nr - 1) / p.tile.nr }

// Pack fills all panels from b.
func (p *Panels) Pack(b Source) { p.PackRange(0, p.Count(), b) }

// PackRange fills panels from ≤ i < to. Ranges that do not overlap may be
// packed at the same time.
func (p *Panels) PackRange(from, to int, b Source) {
	for i := from; i < to; i++ {
		j := i * p.tile.nr
		w := p.tile.kernel(j, p.n).width
		packPanel(p.data[p.k*j:p.k*(j+w)], w, p.k, b, j, min(w, p.n-j))
	}
	if b.Alpha != 0 && b.Alpha != 1 {
		lo, hi := p.k*from*p.tile.nr, min(p.k*to*p.tile.nr, len(p.data))
		for i, v := range p.data[lo:hi] {
			p.data[lo+i] = v * b.Alpha
		}
	}
}

// panel is the packed data of panel i and its width.
func (p *Panels) panel(i int) (data []float32, w int) {
	j := i * p.tile.nr
	w = p.tile.kernel(j, p.n).width
	return p.data[p.k*j : p.k*(j+w)], w
}

// packPanel writes columns j..j+cols of b as lines of w.
func packPanel(dst []float32, w, k int, b Source, j, cols int) {
	if !b.Trans {
		for i := range k {
			line := dst[i*w : i*w+w]
			clear(line[copy(line, b.Data[i*b.LD+j:i*b.LD+j+cols]):])
		}
		return
	}
	rows := packPool.Get().(*[packLine * maxPanel]float32)
	for i := 0; i < k; i += packLine {
		n := min(packLine, k-i)
		for c := range cols {
			copy(rows[c*n:(c+1)*n], b.Data[(j+c)*b.LD+i:])
		}
		clear(rows[cols*n : w*n])
		Transpose(dst[i*w:(i+n)*w], rows[:w*n], w, n)
	}
	packPool.Put(rows)
}

// Rows of a transposed matrix are laid side by side, packLine elements of each of a
// panel's, of which there are maxPanel at most.
const (
	packLine = 64
	maxPanel = 32
)

var packPool = sync.Pool{New: func() any { return new([packLine * maxPanel]float32) }}
