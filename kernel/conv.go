package kernel

import (
	"fmt"
	"math"
)

// ConvShape is a two-dimensional convolution over NHWC activations, C input
// and O output channels in Groups groups (0 means 1). Strides and dilations of
// 0 mean 1.
//
// SrcStride, DstStride and ResStride are the elements from one pixel to the
// next in source, destination and residual; 0 means dense (C, O and O). With a
// wider DstStride a convolution writes its slice of a concatenation in place.
type ConvShape struct {
	N, H, W, C             int
	KH, KW                 int
	StrideH, StrideW       int
	PadT, PadL, PadB, PadR int
	DilH, DilW             int
	Groups, O              int

	SrcStride, DstStride, ResStride int
}

// OH is the height of the output.
func (s ConvShape) OH() int { return outSize(s.H, s.KH, s.StrideH, s.DilH, s.PadT+s.PadB) }

// OW is the width of the output.
func (s ConvShape) OW() int { return outSize(s.W, s.KW, s.StrideW, s.DilW, s.PadL+s.PadR) }

// Flops counts multiplications and additions.
func (s ConvShape) Flops() float64 {
	return 2 * float64(s.N) * float64(s.OH()) * float64(s.OW()) * float64(s.O) *
		float64(s.KH) * float64(s.KW) * float64(s.C/max(1, s.Groups))
}

func outSize(in, k, stride, dil, pad int) int {
	return max(0, (in+pad-((k-1)*max(1, dil)+1))/max(1, stride)+1)
}

// check fills in defaults and reports shapes that make no sense.
func (s *ConvShape) check() error {
	for _, d := range []*int{&s.StrideH, &s.StrideW, &s.DilH, &s.DilW, &s.Groups} {
		if *d == 0 {
			*d = 1
		}
	}
	for _, d := range []struct{ v, def *int }{{&s.SrcStride, &s.C}, {&s.DstStride, &s.O}, {&s.ResStride, &s.O}} {
		if *d.v == 0 {
			*d.v = *d.def
		}
	}
	switch {
	case s.N < 0 || s.H < 0 || s.W < 0 || s.C < 1 || s.O < 1 || s.KH < 1 || s.KW < 1:
		return fmt.Errorf("convolution %+v: sizes must be positive", *s)
	case s.StrideH < 1 || s.StrideW < 1 || s.DilH < 1 || s.DilW < 1 || s.Groups < 1:
		return fmt.Errorf("convolution %+v: strides, dilations and groups must be positive", *s)
	case s.PadT < 0 || s.PadL < 0 || s.PadB < 0 || s.PadR < 0:
		return fmt.Errorf("convolution %+v: negative padding", *s)
	case s.C%s.Groups != 0 || s.O%s.Groups != 0:
		return fmt.Errorf("convolution: %d groups do not divide %d input and %d output channels", s.Groups, s.C, s.O)
	case s.SrcStride < s.C || s.DstStride < s.O || s.ResStride < s.O:
		return fmt.Errorf("convolution: a pixel stride (%d, %d, %d) is shorter than the channels", s.SrcStride, s.DstStride, s.ResStride)
	}
	// Offsets inside one task are 32-bit.
	if rows := float64((s.KH-1)*s.DilH + 1 + s.StrideH); rows*float64(s.W+s.PadL+s.PadR)*float64(s.SrcStride) > math.MaxInt32 {
		return fmt.Errorf("convolution %+v: rows are too long", *s)
	}
	return nil
}

// padded reports whether any output pixel looks outside the source.
func (s *ConvShape) padded() bool { return s.PadT|s.PadL|s.PadB|s.PadR != 0 }

// ConvWeights are packed weights of a convolution: for every group Panels of
// the matrix [KH·KW·C/Groups, O/Groups] with k in the order of kernel row,
// kernel column, channel. They serve any batch, image size and stride.
type ConvWeights struct {
	kh, kw, c, groups, o int
	group                []*Panels
}

// PackConv packs weights in OIHW order, [O][C/Groups][KH][KW].
func PackConv(s ConvShape, w []float32) (*ConvWeights, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	cg, og, taps := s.C/s.Groups, s.O/s.Groups, s.KH*s.KW
	k := taps * cg
	if len(w) != s.O*k {
		return nil, fmt.Errorf("convolution weights: %d elements for [%d,%d,%d,%d]", len(w), s.O, cg, s.KH, s.KW)
	}
	cw := &ConvWeights{kh: s.KH, kw: s.KW, c: s.C, groups: s.Groups, o: s.O}
	hwc := w
	if taps > 1 {
		hwc = make([]float32, og*k)
	}
	for g := range s.Groups {
		src := w[g*og*k : (g+1)*og*k]
		if taps > 1 {
			for o := range og {
				Transpose(hwc[o*k:(o+1)*k], src[o*k:(o+1)*k], cg, taps)
			}
			src = hwc
		}
		p, err := PackB(k, og, Source{Data: src, LD: k, Trans: true})
		if err != nil {
			return nil, err
		}
		cw.group = append(cw.group, p)
	}
	return cw, nil
}

// Bytes is the memory that the packed weights take.
func (w *ConvWeights) Bytes() int {
	n := 0
	for _, p := range w.group {
		n += 4 * len(p.data)
	}
	return n
}

// access is how tiles reach the source.
type access int

const (
	// direct reads the source itself.
	direct access = iota
	// banded reads a copy of the rows of a band with zeros around them.
	banded
	// gathered reads a dense copy of the pixels of a 1x1 convolution.
	gathered
)

// aliases reports whether rows that far apart fall into so few sets of the
// first cache that those of one tile evict each other.
func aliases(stride int) bool { return stride%256 == 0 }

// apart is a row length or a little more, so that rows do not alias.
func apart(n int) int {
	if aliases(n) {
		return n + 16
	}
	return n
}

// Conv is a planned convolution. A task computes a band of output rows for a
// range of panels. Where the source needs padding, or its pixels lie badly for
// the cache, the task first copies what it reads into its scratch memory.
type Conv struct {
	s             ConvShape
	tile          *tile
	oh, ow        int
	access        access
	hp, wp, pixel int // extents and pixel stride of what tiles read
	blocks        [][]seg
	bandRows      int // output rows of one task
	bands         int
	panels        int // panels of one group
	panelsPerTask int
	panelTasks    int
	scratchFloats int
	bandPixels    int
}

// NewConv plans a convolution.
func NewConv(s ConvShape) (*Conv, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	c := &Conv{s: s, tile: pickTile(), oh: s.OH(), ow: s.OW(),
		hp: s.H + s.PadT + s.PadB, wp: s.W + s.PadL + s.PadR, pixel: s.SrcStride}
	c.panels = (s.O/s.Groups + c.tile.nr - 1) / c.tile.nr
	switch {
	case s.padded():
		c.access, c.pixel = banded, apart(s.C)
	case s.KH*s.KW == 1 && aliases(s.SrcStride*s.StrideW) && c.panels >= 4:
		c.access, c.pixel = gathered, apart(s.C)
	}
	c.blocks = blockSegs(c.segments(), c.tile.kBlock)
	if s.N*c.oh*c.ow > 0 {
		c.split()
	}
	return c, nil
}

// segments lists the runs of source elements that one output pixel reads.
func (c *Conv) segments() []seg {
	var segs []seg
	s := &c.s
	cg := s.C / s.Groups
	for y := range s.KH {
		row := y * s.DilH * c.wp * c.pixel
		if s.DilW == 1 && c.pixel == cg {
			segs = append(segs, seg{row, s.KW * cg})
			continue
		}
		for x := range s.KW {
			segs = append(segs, seg{row + x*s.DilW*c.pixel, cg})
		}
	}
	return segs
}

// split chooses the tasks.
func (c *Conv) split() {
	rows := c.s.N * c.oh
	want := taskCount(c.s.Flops())
	c.bandRows = rows
	for c.bandRows > 1 && (c.bandFloats() > aFloats || (rows+c.bandRows-1)/c.bandRows < want && c.mayHalve()) {
		c.bandRows = (c.bandRows + 1) / 2
	}
	c.bands = (rows + c.bandRows - 1) / c.bandRows
	all := c.panels * c.s.Groups
	c.panelTasks = min(all, max(1, (want+c.bands-1)/c.bands))
	if c.access != direct {
		// Every task copies its band; enough channels must share the copy.
		c.panelTasks = min(c.panelTasks, max(1, all*c.tile.nr/128))
	}
	c.panelsPerTask = (all + c.panelTasks - 1) / c.panelTasks
	c.panelTasks = (all + c.panelsPerTask - 1) / c.panelsPerTask
	c.bandPixels = c.bandRows * c.ow
	c.scratchFloats = c.bandPixels
	if c.access != direct {
		c.scratchFloats += c.bandFloats()
	}
}

// bandFloats is how many elements the tiles of one band read.
func (c *Conv) bandFloats() int {
	if c.s.KH*c.s.KW == 1 && c.access != banded {
		return c.bandRows * c.ow * c.pixel
	}
	return c.sourceRows(c.bandRows) * c.wp * c.pixel
}

// mayHalve reports whether bands of half the height still hold enough pixels
// for full tiles and rows enough to outweigh the rows read twice.
func (c *Conv) mayHalve() bool {
	half := (c.bandRows + 1) / 2
	return half*c.ow >= 48 && (c.access != banded || half >= 4)
}

// sourceRows bounds how many padded source rows a band of output rows reads,
// over the borders between images.
func (c *Conv) sourceRows(band int) int {
	images := (band-2)/c.oh + 1
	if band < 2 {
		images = 0
	}
	reach := (c.s.KH-1)*c.s.DilH + 1
	return min((band-1)*c.s.StrideH+reach+images*max(0, c.hp-(c.oh-1)*c.s.StrideH), c.s.N*c.hp)
}

// Shape is the planned shape with defaults filled in.
func (c *Conv) Shape() ConvShape { return c.s }

// Tasks is the number of independent tasks; they write disjoint outputs.
func (c *Conv) Tasks() int { return c.bands * c.panelTasks }

// ScratchFloats is how much scratch one running task needs.
func (c *Conv) ScratchFloats() int { return c.scratchFloats }

// Run computes one task: dst = clamp(conv(src) + bias + residual).
func (c *Conv) Run(task int, dst, src []float32, w *ConvWeights, ep *Epilogue, scratch []float32) {
	s := &c.s
	if w.kh != s.KH || w.kw != s.KW || w.c != s.C || w.groups != s.Groups || w.o != s.O || w.group[0].tile != c.tile {
		panic(fmt.Sprintf("kernel: weights do not belong to the convolution %+v", *s))
	}
	// Tasks of one band lie beside each other: threads share its source.
	r0 := task / c.panelTasks * c.bandRows
	r1 := min(r0+c.bandRows, s.N*c.oh)
	rows := int32s(scratch, (r1-r0)*c.ow)
	src = c.reach(rows, src, scratch[len(rows):], r0, r1)
	e := *ep
	if e.Residual != nil {
		e.Residual = e.Residual[r0*c.ow*s.ResStride:]
	}
	p := product{tile: c.tile, rows: rows, blocks: c.blocks,
		dst: dst[r0*c.ow*s.DstStride:], ldc: s.DstStride, ldr: s.ResStride, ep: e}
	t := tilePool.Get().(*tileArgs)
	first := task % c.panelTasks * c.panelsPerTask
	cg, og := s.C/s.Groups, s.O/s.Groups
	last := min(first+c.panelsPerTask, c.panels*s.Groups)
	step := p.chunk((last - first) * c.tile.nr * cg * s.KH * s.KW)
	for r := 0; r < len(rows); r += step {
		for i := first; i < last; i++ {
			g, j := i/c.panels, i%c.panels
			data, width := w.group[g].panel(j)
			p.src = src[g*cg:]
			p.run(t, r, min(r+step, len(rows)), data, width, g*og+j*c.tile.nr, min(width, og-j*c.tile.nr))
		}
	}
	*t = tileArgs{}
	tilePool.Put(t)
}

// reach fills in where the source of every pixel of output rows r0 ≤ r < r1
// starts in the slice it returns, which is the source itself or scratch.
func (c *Conv) reach(rows []int32, src, scratch []float32, r0, r1 int) []float32 {
	s := &c.s
	if c.access == gathered {
		for r := r0; r < r1; r++ {
			from := src[(r/c.oh*s.H+r%c.oh*s.StrideH)*s.W*s.SrcStride:]
			copyPixels(scratch[(r-r0)*c.ow*c.pixel:], from, c.ow, s.C, c.pixel, s.StrideW*s.SrcStride)
		}
		for i := range rows {
			rows[i] = int32(i * c.pixel)
		}
		return scratch
	}
	top := c.sourceRow(r0)
	step := int32(s.StrideW * c.pixel)
	for r := r0; r < r1; r++ {
		at := int32((c.sourceRow(r) - top) * c.wp * c.pixel)
		line := rows[(r-r0)*c.ow : (r-r0+1)*c.ow]
		for x := range line {
			line[x] = at
			at += step
		}
	}
	if c.access == direct {
		return src[top*c.wp*c.pixel:]
	}
	bottom := c.sourceRow(r1-1) + (s.KH-1)*s.DilH + 1
	c.copyBand(scratch, src, top, bottom)
	return scratch
}

// sourceRow is the padded source row, over all images, that output row r
// starts at.
func (c *Conv) sourceRow(r int) int { return r/c.oh*c.hp + r%c.oh*c.s.StrideH }

// copyBand copies padded rows top ≤ y < bottom of all images.
func (c *Conv) copyBand(dst, src []float32, top, bottom int) {
	s := &c.s
	line := c.wp * c.pixel
	for y := top; y < bottom; y++ {
		d := dst[(y-top)*line : (y-top+1)*line]
		n, sy := y/c.hp, y%c.hp-s.PadT
		if sy < 0 || sy >= s.H {
			clear(d)
			continue
		}
		clear(d[:s.PadL*c.pixel])
		clear(d[line-s.PadR*c.pixel:])
		copyPixels(d[s.PadL*c.pixel:], src[(n*s.H+sy)*s.W*s.SrcStride:], s.W, s.C, c.pixel, s.SrcStride)
	}
}

// copyPixels copies w pixels of c channels between rows of different strides.
func copyPixels(dst, src []float32, w, c, dstStride, srcStride int) {
	if dstStride == c && srcStride == c {
		copy(dst[:w*c], src[:w*c])
		return
	}
	for x := range w {
		copy(dst[x*dstStride:x*dstStride+c], src[x*srcStride:x*srcStride+c])
	}
}
