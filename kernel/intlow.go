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
	if s.KH*s.KW != 1 || s.Groups != 1 || len(w) != s.O*s.C || !HasLow() {
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
	p := tile.ints().empty(s, zero, largest)
	p.codes = tile.intCodes(bits, levels, largest)
	tile.packInts(p, w, &codes)
	return p, nil
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
			p.panels = append(p.panels, intPanel{width, bytesAs(data), make([]int32, width)})
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
	return &intTile{name: t.name, needs: t.needs, panels: []panelKernel[intArgs]{{t.width(), t.mr, t.runInts}}}
}

// lowSums is the sums of a tile, and the arguments that made them.
type lowSums struct {
	args        lowArgs
	sums, total [6 * 32]int32
}

var lowSumsPool = sync.Pool{New: func() any { return new(lowSums) }}

// runInts computes tiles of m rows.
func (t *lowTile) runInts(m int, a *intArgs) {
	l := lowSumsPool.Get().(*lowSums)
	for r := 0; r < len(a.rows); {
		n := evenly(a.rows[r:min(r+m, len(a.rows))])
		t.sumInts(l, a, r, n)
		r += n
	}
	l.args = lowArgs{}
	lowSumsPool.Put(l)
}

// evenly is how many of the first rows are equally far apart.
func evenly(rows []int32) int {
	n := min(2, len(rows))
	for n < len(rows) && rows[n]-rows[n-1] == rows[1]-rows[0] {
		n++
	}
	return n
}

// sumInts computes rows r to r+n of a panel, once for every table of levels.
func (t *lowTile) sumInts(l *lowSums, a *intArgs, r, n int) {
	lds, c, width := 0, a.codes, t.width()
	if n > 1 {
		lds = int(a.rows[r+1] - a.rows[r])
	}
	for i := range n {
		copy(l.total[i*width:], a.start[:width])
	}
	for i := range c.levels {
		l.args = lowArgs{src: &a.src[int(a.rows[r])+a.segs[0].off], lds: lds, b: &bytesOf(a.b)[0], levels: &c.levels[i][0],
			sums: &l.sums[0], steps: 4 * a.segs[0].n / lowStep(c.bits), blocks: 1, flush: max(1, c.flush)}
		t.sum(c.bits, n, &l.args)
		for i, v := range l.sums[:n*width] {
			l.total[i] += v
		}
	}
	for i := range n {
		for j := range a.n {
			a.finish(r+i, j, l.total[i*width+j])
		}
	}
}
