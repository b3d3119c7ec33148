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

// depthwise reports whether every channel has one filter of its own.
func (s *ConvShape) depthwise() bool { return s.Groups == s.C && s.O == s.C && s.C > 1 }

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

// Conv is a planned convolution. A task computes a band of output rows for a
// range of panels. Where the source needs padding, or its pixels lie badly for
// the cache, the task first copies what it reads into its scratch memory.
type Conv struct {
	bandPlan
	tile          *tile
	blocks        [][]seg
	scratchFloats int
	gated         bool
}

// NewConv plans a convolution.
func NewConv(s ConvShape) (*Conv, error) { return newConv(s, false) }

// NewGatedConv plans a 1x1 convolution without padding over a source that is
// multiplied by one number for every image and channel on the way.
func NewGatedConv(s ConvShape) (*Conv, error) {
	if s.KH*s.KW != 1 || s.padded() {
		return nil, fmt.Errorf("convolution %+v: only 1x1 without padding has gates", s)
	}
	return newConv(s, true)
}

func newConv(s ConvShape, gated bool) (*Conv, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	c := &Conv{tile: pickTile(), gated: gated}
	c.bandPlan = newBandPlan(s, 4, c.tile.nr)
	switch {
	case s.padded():
		c.access, c.pixel = banded, apart(s.C, 4)
	case gated, s.KH*s.KW == 1 && aliases(s.SrcStride*s.StrideW, 4) && c.panels >= 4:
		c.access, c.pixel = gathered, apart(s.C, 4)
	}
	c.blocks = blockSegs(c.segments(), c.tile.kBlock)
	if s.N*c.oh*c.ow > 0 {
		c.split(aFloats, taskCount(s.Flops()))
		c.scratchFloats = c.bandPixels
		if c.access != direct {
			c.scratchFloats += c.bandElements()
		}
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

// ScratchFloats is how much scratch one running task needs.
func (c *Conv) ScratchFloats() int { return c.scratchFloats }

// gather copies the pixels of output rows r0 ≤ r < r1, multiplied by the gates, and
// fills in where they start.
func (c *Conv) gather(rows []int32, src, gate, scratch []float32, r0, r1 int) []float32 {
	s := &c.s
	for r := r0; r < r1; r++ {
		n := r / c.oh
		from := src[(n*s.H+r%c.oh*s.StrideH)*s.W*s.SrcStride:]
		gateRows(scratch[(r-r0)*c.ow*c.pixel:], from, gate[n*s.C:(n+1)*s.C], c.ow, c.pixel, s.StrideW*s.SrcStride)
	}
	for i := range rows {
		rows[i] = int32(i * c.pixel)
	}
	return scratch
}

// column is the output channel that panel i of all groups starts at.
func (c *Conv) column(i int) int {
	og := c.s.O / c.s.Groups
	return i/c.panels*og + min(i%c.panels*c.tile.nr, og)
}

// Run computes one task: dst = act(clamp(conv(src) + bias + residual)).
func (c *Conv) Run(task int, dst, src []float32, w *ConvWeights, ep *Epilogue, scratch []float32) {
	if c.gated {
		panic("kernel: a gated convolution without gates")
	}
	c.run(task, dst, src, nil, w, ep, scratch)
}

// RunGated computes one task of a convolution from NewGatedConv; gate holds C
// numbers for every image.
func (c *Conv) RunGated(task int, dst, src, gate []float32, w *ConvWeights, ep *Epilogue, scratch []float32) {
	c.run(task, dst, src, gate[:c.s.N*c.s.C], w, ep, scratch)
}

func (c *Conv) run(task int, dst, src, gate []float32, w *ConvWeights, ep *Epilogue, scratch []float32) {
	s := &c.s
	if w.kh != s.KH || w.kw != s.KW || w.c != s.C || w.groups != s.Groups || w.o != s.O || w.group[0].tile != c.tile {
		panic(fmt.Sprintf("kernel: weights do not belong to the convolution %+v", *s))
	}
	// Tasks of one band lie beside each other: threads share its source.
	r0, r1 := c.band(task)
	rows := int32s(scratch, (r1-r0)*c.ow)
	if c.gated {
		src = c.gather(rows, src, gate, scratch[len(rows):], r0, r1)
	} else {
		src = reach(&c.bandPlan, rows, src, scratch[len(rows):], r0, r1, 0)
	}
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
		p.act(r, min(r+step, len(rows)), c.column(first), c.column(last))
	}
	*t = tileArgs{}
	tilePool.Put(t)
}
