package kernel

import (
	"unsafe"

	"pare/internal/cpu"
)

// lowArgs is one call of a low tile, which adds, for blocks of steps lines of a
// panel, products of bytes and the levels of codes, and stores the int32 sums as
// [blocks][m][width]. A line holds four rows of the matrix, or eight where codes
// have two bits. Kernels use blocks up. Assembly reads this struct by offset
// (TestArgsLayout).
type lowArgs struct {
	src    *uint8 // the first row; the blocks' bytes follow each other
	lds    int    // bytes from one row to the next
	b      *uint8
	levels *int8 // sixteen
	sums   *int32
	steps  int // at least 1
	blocks int // at least 1
	flush  int // steps whose sums fit 16 bits, at least 1
	// near is what the caller reads next, as many numbers per block as a panel has
	// columns, fetched meanwhile; it need not be there.
	near [3]unsafe.Pointer
}

// worthArgs is one call of a worth loop: for the columns of a panel
//
//	dst[j] = Σ_b scale[b][j]·(((s0 - offset[b][j])·step + s1)·step + s2) + shift[b][j]·data[b]
//
// where s0, s1, s2 are the sums of three rows of block b, pitch bytes from those
// of the next. A nil shift counts as zero.
type worthArgs struct {
	dst    *float32
	sums   *int32
	pitch  int
	scale  *float32
	offset *int32
	shift  *float32
	data   *float32
	blocks int
	step   float32
}

// lowTile is a row of the table of kernels that multiply few rows of u8 by codes
// of 2, 4 or 8 bits that stay packed: such products are bound by the bytes of
// the matrix. Sums are the same in all rows.
type lowTile struct {
	name  string
	needs cpu.Features
	// lanes is half the width of a panel, mr the largest number of rows.
	lanes, mr int
	// few is what LowRows says of the tile.
	few int
	// pairs kernels add products by pairs in 16 bits, which must hold them.
	pairs bool
	sum   func(bits, m int, a *lowArgs)
	worth func(a *worthArgs)
	// end is a tile of one row of whole bytes as wide, which stores sums; nil has
	// them stored one by one. With looks set it turns them into codes by steps.
	end   func(a *intArgs)
	looks bool
}

// lowTiles is ordered best first; the last row runs everywhere.
var lowTiles = append(archLowTiles, lowTile{
	name: "u8c_3x16_go", lanes: goLanes, mr: 3, sum: lowSumGo, worth: lowWorthGo,
})

const goLanes = 8

func pickLowTile() *lowTile {
	for i := range lowTiles {
		if cpu.Has(lowTiles[i].needs) {
			return &lowTiles[i]
		}
	}
	panic("kernel: no portable tile")
}

// LowRows is the number of rows up to which products whose weights stay packed may
// win where weights come from memory; 0 where they never do.
func LowRows() int { return pickLowTile().few }

// width is the columns of a panel.
func (t *lowTile) width() int { return 2 * t.lanes }

// lowStep is how many rows of the matrix a line of codes holds.
func lowStep(bits int) int { return 4 * max(1, 4/bits) }

// line is the bytes of a line.
func (t *lowTile) line(bits int) int { return t.width() * lowStep(bits) * bits / 8 }

// put stores column col of a panel, codes q of consecutive rows: bits that a
// vector shifts out together belong to neighbouring columns of one half.
func (t *lowTile) put(panel []uint8, bits, col int, q []uint8) {
	line, step := t.line(bits), lowStep(bits)
	half, lane := col/t.lanes, 4*(col%t.lanes)
	for k, c := range q {
		at := k/step*line + lane + k%4
		if bits == 8 {
			panel[at+4*t.lanes*half] = c
			continue
		}
		panel[at] |= c << (bits * (2*(k%step/4) + half))
	}
}

// get is what put stored of row k.
func (t *lowTile) get(panel []uint8, bits, col, k int) uint8 {
	at := k/lowStep(bits)*t.line(bits) + 4*(col%t.lanes) + k%4
	half := col / t.lanes
	if bits == 8 {
		return panel[at+4*t.lanes*half]
	}
	return panel[at] >> (bits * (2*(k%lowStep(bits)/4) + half)) & (1<<bits - 1)
}

// lowFlush is how many lines of codes, with levels up to largest, times bytes up
// to top add up within 16 bits; 0 if not one does.
func lowFlush(bits, largest, top int) int {
	return 32767 / max(1, 2*top*largest*lowStep(bits)/4)
}

// lowSumGo is the portable tile.
func lowSumGo(bits, m int, a *lowArgs) {
	t := lowTile{lanes: goLanes}
	step := lowStep(bits)
	rows := a.steps * step
	size := a.steps * t.line(bits)
	panel := unsafe.Slice(a.b, a.blocks*size)
	levels := unsafe.Slice(a.levels, 16)
	sums := unsafe.Slice(a.sums, a.blocks*m*t.width())
	src := unsafe.Slice(a.src, (m-1)*a.lds+a.blocks*rows)
	for i := range sums {
		block, r, col := i/t.width()/m, i/t.width()%m, i%t.width()
		x := src[r*a.lds+block*rows:][:rows]
		sum := int32(0)
		for k, v := range x {
			q := t.get(panel[block*size:], bits, col, k)
			w := int8(q)
			if bits < 8 {
				w = levels[q]
			}
			sum += int32(v) * int32(w)
		}
		sums[i] = sum
	}
}

// lowWorthGo is the portable worth loop.
func lowWorthGo(a *worthArgs) {
	const width = 2 * goLanes
	dst := unsafe.Slice(a.dst, width)
	clear(dst)
	for b := range a.blocks {
		sums := unsafe.Slice((*int32)(unsafe.Add(unsafe.Pointer(a.sums), b*a.pitch)), 3*width)
		scale := unsafe.Slice(a.scale, a.blocks*width)[b*width:]
		offset := unsafe.Slice(a.offset, a.blocks*width)[b*width:]
		for j := range dst {
			s := (float32(sums[j]-offset[j])*a.step+float32(sums[width+j]))*a.step + float32(sums[2*width+j])
			dst[j] += scale[j] * s
			if a.shift != nil {
				dst[j] += unsafe.Slice(a.shift, a.blocks*width)[b*width+j] * unsafe.Slice(a.data, a.blocks)[b]
			}
		}
	}
}
