package kernel

import (
	"math"
	"sync"
	"unsafe"

	"pare/internal/cpu"
)

// depthLine is a row of the table of kernels that compute depthwise convolutions
// line by line: windows of 3x3 or 5x5, one or two columns apart, whose sums become
// codes. There is no portable row: the tiles of intDepthTiles compute all.
type depthLine struct {
	name  string
	needs cpu.Features
	// block is how many channels pass together; there must be as many.
	block int
	// terms are the taps that a register of weights holds for each of its channels,
	// two words or four bytes, for windows of k columns.
	terms func(k int) [][]lineTap
	run   [2][2]func(*byte) // by k of 3 and 5, and by what windows are apart
}

// lineTap is a tap of a window; one without a place counts nothing.
type lineTap struct {
	y, x int
	none bool
}

// lineWords pairs rows of a column, and columns of the last row.
func lineWords(k int) (terms [][]lineTap) {
	last := k - 1
	for y := 0; y < last; y += 2 {
		for x := range k {
			terms = append(terms, []lineTap{{y: y, x: x}, {y: y + 1, x: x}})
		}
	}
	for x := 0; x < last; x += 2 {
		terms = append(terms, []lineTap{{y: last, x: x}, {y: last, x: x + 1}})
	}
	return append(terms, []lineTap{{none: true}, {y: last, x: last}})
}

// lineQuads joins up to four rows of a column, and four columns of a fifth row.
func lineQuads(k int) (terms [][]lineTap) {
	for x := range k {
		terms = append(terms, []lineTap{{y: 0, x: x}, {y: 1, x: x}, {y: 2, x: x}, {y: 3, x: x, none: k == 3}})
	}
	if k == 5 {
		none := lineTap{none: true}
		terms = append(terms, []lineTap{{y: 4, x: 0}, {y: 4, x: 1}, {y: 4, x: 2}, {y: 4, x: 3}},
			[]lineTap{none, none, none, {y: 4, x: 4}})
	}
	return terms
}

// lineWeights are the weights of a depthwise convolution for a depthLine: for every
// block the starts of its sums and then its terms. The last block overlaps
// the one before where the channels are no multiple.
type lineWeights struct {
	kind *depthLine
	data []int32
}

// lineArgs is one call of a depthLine. With y = sum·mul[c] + add[c], a code is
// round(min(y, hi)) + zero, not below least. Assembly reads this struct by
// offset (TestArgsLayout).
type lineArgs struct {
	dst      *uint8
	weights  *int32
	mul, add *float32
	runs     *lineRun
	dstStep  int
	last     int // the first channel of the last block
	pixels   int
	hi       float32
	zero     int32
	least    uint8
	columns  [4]lineRun
}

// lineRun is a run of columns of the source: where the first one is in every row
// of the window, and how far the others are apart. The last run has any length.
type lineRun struct {
	src  [5]*uint8
	step int
	n    int
}

// pickDepthLine returns the row for c channels, or nil.
func pickDepthLine(c int) *depthLine {
	for i := range archDepthLines {
		if l := &archDepthLines[i]; cpu.Has(l.needs) && l.block <= c {
			return l
		}
	}
	return nil
}

// packLines packs weights [C][KH][KW] of a depthwise convolution, or returns nil
// where no row takes them.
func packLines(s *ConvShape, w []int8, zero uint8) *lineWeights {
	if s.KH != s.KW || s.KW != 3 && s.KW != 5 {
		return nil
	}
	kind := pickDepthLine(s.C)
	if kind == nil {
		return nil
	}
	return kind.weights(s, w, zero)
}

func (l *depthLine) weights(s *ConvShape, w []int8, zero uint8) *lineWeights {
	taps, terms := s.KH*s.KW, l.terms(s.KW)
	size := l.block * (1 + len(terms))
	blocks := (s.C + l.block - 1) / l.block
	p := &lineWeights{l, make([]int32, blocks*size)}
	for b := range blocks {
		c0 := min(b*l.block, s.C-l.block)
		block := p.data[b*size:][:size]
		for i := range l.block {
			filter := w[(c0+l.channel(i))*taps:][:taps]
			block[i] = lineStart(filter, zero)
			for t, term := range terms {
				block[(1+t)*l.block+i] = packTaps(term, filter, s.KW)
			}
		}
	}
	return p
}

// lineStart is what the sum of a filter starts with.
func lineStart(filter []int8, zero uint8) int32 {
	sum := int32(0)
	for _, v := range filter {
		sum += int32(v)
	}
	return -sum * int32(zero)
}

// packTaps puts the weights of taps beside each other, the first lowest.
func packTaps(taps []lineTap, filter []int8, k int) int32 {
	var x uint32
	bits := 32 / len(taps)
	for i, t := range taps {
		if !t.none {
			x |= uint32(int32(filter[t.y*k+t.x])) << (32 - bits) >> (32 - bits) << (i * bits)
		}
	}
	return int32(x)
}

// channel is the channel of sum i of a block: four of the lower half of the
// channels lie beside four of the upper one.
func (l *depthLine) channel(i int) int { return i/4%2*l.block/2 + i/8*4 + i%4 }

// linePlan says whether and how lines compute a planned convolution.
type linePlan struct {
	w   *lineWeights
	run func(*byte)
}

// planLines is the plan for a shape, or none.
func planLines(s *ConvShape, w *IntWeights) linePlan {
	if w.line == nil || w.stack != nil || s.DilH != 1 || s.DilW != 1 || s.StrideW > 2 || s.W == 0 {
		return linePlan{}
	}
	return linePlan{w.line, w.line.kind.run[s.KW/2-1][s.StrideW-1]}
}

// splitLines makes tasks of whole lines, which copy no band and so may be low.
func (c *IntConv) splitLines(want int) {
	rows := c.s.N * c.oh
	c.bandRows = min(c.bandRows, (rows+want-1)/want)
	c.bands = (rows + c.bandRows - 1) / c.bandRows
	c.panelTasks, c.panelsPerTask = 1, c.panels
	c.bandPixels = c.bandRows * c.ow
}

// takes reports whether lines compute an epilogue.
func (p *linePlan) takes(store intStore, ep *IntEpilogue) bool {
	return p.run != nil && store == storeCodes && ep.Extra == nil && ep.Residual == nil && ep.Mid == nil && ep.Steps == nil
}

var linePool = sync.Pool{New: func() any { return new(lineArgs) }}

// lines computes output rows r0 ≤ r < r1. Scratch holds a row of what lies around
// the source.
func (c *IntConv) lines(dst, src []uint8, ep *IntEpilogue, pad uint8, scratch []uint8, r0, r1 int) {
	s := &c.s
	src = src[:extent(s.N*s.H*s.W, s.C, s.SrcStride)]
	around := scratch[:extent(s.W, s.C, s.SrcStride)]
	if s.padded() {
		fill(around, pad)
	}
	a := linePool.Get().(*lineArgs)
	lo, hi := ep.limits(storeCodes)
	a.weights, a.mul, a.add = unsafe.SliceData(c.line.w.data), unsafe.SliceData(ep.Mul[:s.C]), unsafe.SliceData(ep.Add[:s.C])
	a.dstStep, a.last, a.pixels = s.DstStride, s.C-c.line.w.kind.block, c.ow
	a.hi, a.zero = hi, int32(ep.Zero)
	a.least = uint8(int32(math.RoundToEven(float64(lo))) + a.zero)
	for r := r0; r < r1; r++ {
		c.lineColumns(a, src, around, r)
		a.dst = &dst[r*c.ow*s.DstStride : r*c.ow*s.DstStride+extent(c.ow, s.C, s.DstStride)][0]
		c.line.run((*byte)(unsafe.Pointer(a)))
	}
	*a = lineArgs{}
	linePool.Put(a)
}

// lineColumns lists the runs of columns that output row r sees.
func (c *IntConv) lineColumns(a *lineArgs, src, around []uint8, r int) {
	s := &c.s
	beside, within := lineRun{n: s.PadL}, lineRun{n: s.W, step: s.SrcStride}
	for ky := range s.KH {
		beside.src[ky], within.src[ky] = &around[0], &around[0]
		if y := r%c.oh*s.StrideH - s.PadT + ky; y >= 0 && y < s.H {
			within.src[ky] = &src[(r/c.oh*s.H+y)*s.W*s.SrcStride]
		}
	}
	runs := a.columns[:0]
	if s.PadL > 0 {
		runs = append(runs, beside)
	}
	beside.n = math.MaxInt
	runs = append(runs, within, beside)
	a.runs = unsafe.SliceData(runs)
}
