package kernel

import (
	"errors"
	"fmt"
	"unsafe"

	"pare/internal/hugepage"
)

// LowWeights is the right-hand matrix of a product of floats whose weights stay
// codes of 2, 4 or 8 bits: element (k, j) is
// levels[code]·scale[block of k][j] + shift[block of k][j].
type LowWeights struct {
	k, n, bits    int
	block, blocks int // rows of a block, the last of which may be shorter
	steps         int // lines of a block
	tile          *lowTile
	levels        [16]int8
	data          []uint8   // panel by panel
	scale, shift  []float32 // [panels][blocks][width]; shift may be nil
	offset        []int32   // of the top plane, likewise
	planeBits     int
	flush         int
}

// LowSource is a matrix of codes to be packed: the code of (k, j) is
// Codes[k*StepK+j*StepJ], of so many bits.
type LowSource struct {
	Codes        []uint8
	StepK, StepJ int
	Bits         int
	// Levels says what codes below 8 bits stand for; codes of 8 bits are the
	// levels themselves in two's complement.
	Levels []int8
	// Block is how many rows share a scale; 0 stands for all.
	Block int
	// Scale and Shift are [blocks][N]; a nil Shift counts as zero.
	Scale, Shift []float32
}

// maxLowScale keeps products with sums of fixed-point numbers finite.
const maxLowScale = 1e20

// PackLow packs a k×n matrix of codes.
func PackLow(k, n int, src LowSource) (*LowWeights, error) {
	p := &LowWeights{k: k, n: n, bits: src.Bits, tile: pickLowTile(), block: src.Block}
	if p.block <= 0 || p.block > k {
		p.block = k
	}
	if err := p.check(&src); err != nil {
		return nil, err
	}
	largest := copyLevels(&p.levels, src.Levels)
	if src.Bits == 8 {
		largest = 128
	}
	p.planeBits, p.flush = 8, lowFlush(p.bits, largest, 1<<8-1)
	if p.flush == 0 && p.tile.pairs {
		p.planeBits, p.flush = 7, lowFlush(p.bits, largest, 1<<7-1)
	}
	if p.flush == 0 && p.tile.pairs {
		// Only of two bits: a line of them holds twice as many rows.
		src.Bits = 4
		return PackLow(k, n, src)
	}
	step, width := lowStep(p.bits), p.tile.width()
	p.blocks, p.steps = (k+p.block-1)/p.block, (p.block+step-1)/step
	panels := (n + width - 1) / width
	p.data = lowBytes(panels * p.panelBytes())
	p.scale, p.offset = make([]float32, panels*p.blocks*width), make([]int32, panels*p.blocks*width)
	if src.Shift != nil {
		p.shift = make([]float32, len(p.scale))
	}
	for j := range n {
		p.column(&src, j)
	}
	return p, nil
}

func (p *LowWeights) check(src *LowSource) error {
	step := lowStep(max(1, src.Bits))
	switch {
	case src.Bits != 2 && src.Bits != 4 && src.Bits != 8:
		return fmt.Errorf("weights of %d bits cannot stay packed; 2, 4 and 8 can", src.Bits)
	case p.k < 1 || p.n < 1 || p.k > 1<<16:
		return fmt.Errorf("a %dx%d matrix cannot stay packed: 1 to 65536 rows, 1 or more columns", p.k, p.n)
	case p.block < p.k && p.block%step != 0:
		return fmt.Errorf("blocks of %d rows do not hold whole lines of %d", p.block, step)
	case len(src.Levels) > 16 || src.Bits < 8 && len(src.Levels) == 0:
		return fmt.Errorf("%d levels for codes of %d bits", len(src.Levels), src.Bits)
	}
	for _, s := range [][]float32{src.Scale, src.Shift} {
		if m := RowSize(s); !(m <= maxLowScale) {
			return fmt.Errorf("a scale of %v cannot stay packed", m)
		}
	}
	if rows := (p.k + p.block - 1) / p.block; len(src.Scale) != rows*p.n || src.Shift != nil && len(src.Shift) != rows*p.n {
		return errors.New("scales do not match the matrix")
	}
	return nil
}

// copyLevels returns the largest magnitude.
func copyLevels(to *[16]int8, from []int8) int {
	largest := 0
	for i, v := range from {
		to[i] = v
		largest = max(largest, int(v), -int(v))
	}
	return largest
}

// lowBytes is memory for packed codes, in large pages where it is large.
func lowBytes(n int) []uint8 { return rawBytes(hugepage.Float32s((n + 3) / 4))[:n] }

// panelBytes is the size of a panel.
func (p *LowWeights) panelBytes() int { return p.blocks * p.steps * p.tile.line(p.bits) }

// rows is how many rows a panel has, those that fill the last line included.
func (p *LowWeights) rows() int { return p.blocks * p.steps * lowStep(p.bits) }

func (p *LowWeights) panel(i int) []uint8 { return p.data[i*p.panelBytes():][:p.panelBytes()] }

// at is where the scale of block b of column j lies.
func (p *LowWeights) at(b, j int) int {
	w := p.tile.width()
	return (j/w*p.blocks+b)*w + j%w
}

// level is what a code stands for.
func (p *LowWeights) level(q uint8) int8 {
	if p.bits == 8 {
		return int8(q)
	}
	return p.levels[q]
}

// column packs column j.
func (p *LowWeights) column(src *LowSource, j int) {
	q := make([]uint8, p.k)
	for k := range q {
		q[k] = src.Codes[k*src.StepK+j*src.StepJ] & (1<<p.bits - 1)
	}
	p.tile.put(p.panel(j/p.tile.width()), p.bits, j%p.tile.width(), q)
	for b := range p.blocks {
		sum := int32(0)
		for _, c := range q[b*p.block : min((b+1)*p.block, p.k)] {
			sum += int32(p.level(c))
		}
		at := p.at(b, j)
		p.scale[at], p.offset[at] = src.Scale[b*p.n+j], sum<<(p.planeBits-1)
		if p.shift != nil {
			p.shift[at] = src.Shift[b*p.n+j]
		}
	}
}

// Bits is how many bits a code has.
func (p *LowWeights) Bits() int { return p.bits }

// Bytes is the memory that the packed weights take.
func (p *LowWeights) Bytes() int {
	return len(p.data) + 4*(len(p.scale)+len(p.shift)+len(p.offset))
}

// weight is element (k, j) as a float.
func (p *LowWeights) weight(k, j int) float32 {
	w, b := p.tile.width(), k/p.block
	v := float32(p.level(p.tile.get(p.panel(j/w), p.bits, j%w, k)))
	v *= p.scale[p.at(b, j)]
	if p.shift != nil {
		v += p.shift[p.at(b, j)]
	}
	return v
}

// first points at element i of s, nil for an empty slice.
func first[T any](s []T, i int) *T {
	if len(s) == 0 {
		return nil
	}
	return (*T)(unsafe.Pointer(&s[i]))
}
