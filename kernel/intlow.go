package kernel

import (
	"math"
	"sync"
	"unsafe"
)

// PackIntFew is PackIntConv for dense products of few rows. Weights of at most
// sixteen values stay codes of 2 or 4 bits where the machine has a kernel that
// expands them exactly; others are packed as PackIntConv does. Sums are the same.
func PackIntFew(s ConvShape, w []int8, zero uint8) (*IntWeights, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.KH*s.KW != 1 || s.Groups != 1 || len(w) != s.O*s.C || LowRows() == 0 {
		return PackIntConv(s, w, zero)
	}
	bits, levels, codes := codesOfFew(w)
	largest, err := bounds(s.O, w)
	if err != nil {
		return nil, err
	}
	tile := pickLowTile()
	if bits == 2 && s.C%lowStep(2) != 0 {
		bits = 4
	}
	if bits == 0 || s.C%lowStep(bits) != 0 {
		return PackIntConv(s, w, zero)
	}
	p := tile.ints().empty(s, zero)
	p.codes = tile.intCodes(bits, levels, largest)
	tile.packInts(p, w, &codes)
	return p, nil
}

// CodeBits is how many bits the codes of the weights have that stayed codes, 0
// where none did.
func (p *IntWeights) CodeBits() int {
	if p.codes == nil {
		return 0
	}
	return p.codes.bits
}

// codesOfFew returns the ascending values of w, at most sixteen, and the code of
// every byte; bits are 0 where there are more.
func codesOfFew(w []int8) (bits int, levels [16]int8, codes [256]uint8) {
	var seen [256]bool
	for _, v := range w {
		seen[uint8(v)] = true
	}
	n := 0
	for v := math.MinInt8; v <= math.MaxInt8; v++ {
		if !seen[uint8(v)] {
			continue
		}
		if n == len(levels) {
			return 0, levels, codes
		}
		levels[n], codes[uint8(v)] = int8(v), uint8(n)
		n++
	}
	if n <= 4 {
		return 2, levels, codes
	}
	return 4, levels, codes
}

// intCodes says how codes of integer weights become levels.
type intCodes struct {
	bits, flush int
	// levels is one table, or two whose levels add up to those of the weights.
	levels [][16]int8
}

// intCodes splits levels that the tile does not multiply exactly in two halves.
func (t *lowTile) intCodes(bits int, levels [16]int8, largest int) *intCodes {
	c := &intCodes{bits: bits, flush: lowFlush(bits, largest, math.MaxUint8), levels: [][16]int8{levels}}
	if !t.pairs || c.flush > 0 {
		return c
	}
	for c.flush == 0 {
		largest = (largest + 1) / 2
		c.flush = lowFlush(bits, largest, math.MaxUint8)
		halves := make([][16]int8, 0, 2*len(c.levels))
		for _, l := range c.levels {
			a, b := [16]int8{}, [16]int8{}
			for i, v := range l {
				a[i], b[i] = v/2, v-v/2
			}
			halves = append(halves, a, b)
		}
		c.levels = halves
	}
	return c
}

// packInts packs weights [O][C] whose codes are known.
func (t *lowTile) packInts(p *IntWeights, w []int8, codes *[256]uint8) {
	width, size := t.width(), p.c/lowStep(p.codes.bits)*t.line(p.codes.bits)
	all := lowBytes((p.o + width - 1) / width * size)
	q := make([]uint8, p.c)
	for o := range p.o {
		if o%width == 0 {
			data := all[o/width*size:][:size]
			p.panels = append(p.panels, intPanel{width: width, data: bytesAs(data), start: make([]int32, width)})
		}
		panel, sum := &p.panels[o/width], 0
		for k, v := range w[o*p.c:][:p.c] {
			q[k] = codes[uint8(v)]
			sum += int(v)
		}
		t.put(bytesOf(panel.data), p.codes.bits, o%width, q)
		panel.start[o%width] = int32(-sum * int(p.zero))
	}
}

// bytesAs sees bytes as int8 memory.
func bytesAs(s []uint8) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// ints is the tile for products of codes with codes.
func (t *lowTile) ints() *intTile {
	return &intTile{name: t.name, needs: t.needs, looks: t.looks, panels: []panelKernel[intArgs]{{t.width(), t.mr, t.runInts}}}
}

// Limits of all tiles; a table of levels is cut in four at most.
const (
	maxLowRows, maxLowWidth = 6, 32
	maxLowTables            = 4
)

// lowSums is the sums of a tile, and the arguments that made them.
type lowSums struct {
	args lowArgs
	room [maxLowTables*maxLowRows*maxLowWidth + lineFloats]int32
}

var lowSumsPool = sync.Pool{New: func() any { return new(lowSums) }}

// runInts computes tiles of m rows.
func (t *lowTile) runInts(m int, a *intArgs) {
	l := lowSumsPool.Get().(*lowSums)
	panel := lowPanel{a.rows, a.start, a.segs, a.b, a.c, a.res, a.extra}
	for r := 0; r < len(panel.rows); {
		n := evenly(panel.rows[r:min(r+m, len(panel.rows))])
		sums := t.sumInts(l, a, &panel, r, n)
		for i := range n {
			t.finish(a, &panel, r+i, sums[i*t.width():][:t.width()])
		}
		r += n
	}
	a.b, a.start, a.segs = panel.b, panel.start, panel.segs
	l.args = lowArgs{}
	lowSumsPool.Put(l)
}

// lowPanel is what finishing a row overwrites in the arguments.
type lowPanel struct {
	rows, start []int32
	segs        []seg
	b           []int8
	c, res      []uint8
	extra       []float32
}

// evenly is how many of the first rows are equally far apart.
func evenly(rows []int32) int {
	n := min(2, len(rows))
	for n < len(rows) && rows[n]-rows[n-1] == rows[1]-rows[0] {
		n++
	}
	return n
}

// sumInts returns the sums of rows r to r+n of a panel, added up over all tables of
// levels.
func (t *lowTile) sumInts(l *lowSums, a *intArgs, p *lowPanel, r, n int) []int32 {
	lds, c, size, all := 0, a.codes, n*t.width(), lined(l.room[:])
	if n > 1 {
		lds = int(p.rows[r+1] - p.rows[r])
	}
	for i := range c.levels {
		l.args = lowArgs{src: &a.src[int(p.rows[r])+p.segs[0].off], lds: lds, b: &bytesOf(p.b)[0], levels: &c.levels[i][0],
			sums: &all[i*size], steps: 4 * p.segs[0].n / lowStep(c.bits), blocks: 1, flush: max(1, c.flush),
			near: [3]unsafe.Pointer{pointer(p.start), pointer(a.mul), pointer(a.add)}}
		t.sum(c.bits, n, &l.args)
	}
	for i := range n {
		sums := all[i*t.width():][:t.width()]
		for j, v := range p.start[:len(sums)] {
			sums[j] += v
		}
	}
	for k := 1; k < len(c.levels); k++ {
		for i, v := range all[k*size:][:size] {
			all[i] += v
		}
	}
	return all[:size]
}

// pointer is where s lies.
func pointer[T any](s []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }

// zeroLine is a line of weights of whole bytes, and oneQuad the run it takes;
// grouped tiles do without.
var (
	zeroLine [4 * maxLowWidth]int8
	oneQuad  = []seg{{0, 1}}
	noGroups groupRun
)

// finish stores the sums of row r: as those that a tile of whole bytes starts
// with, to which it adds a quad of weights that are zero.
func (t *lowTile) finish(a *intArgs, p *lowPanel, r int, sums []int32) {
	a.c, a.rows, a.tiles = p.c[r*a.ldc:], p.rows[r:r+1], 1
	if p.res != nil {
		a.res = p.res[r*a.ldr:]
	}
	if p.extra != nil {
		a.extra = p.extra[r*a.lde/4:]
	}
	if t.end == nil || a.n < t.width() {
		for j := range a.n {
			a.finish(0, j, sums[j])
		}
		return
	}
	a.start, a.b, a.segs, a.runs = sums, zeroLine[:], oneQuad, &noGroups
	t.end(a)
}
