package kernel

import (
	"fmt"
	"unsafe"
)

// IntConv is a planned convolution of u8 codes with s8 weights, depthwise ones
// included, or a planned product of such matrices. It is cut into tasks as Conv
// is.
type IntConv struct {
	bandPlan
	w            *IntWeights
	segs         []seg
	scratchBytes int
	stack        stackPlan
	order        [][]int32 // of the quads of grouped panels, and of stacked ones
	stackOrder   [][]int32
	line         linePlan
}

// intBytes is how many bytes of the source one task should touch.
const intBytes = 256 << 10

// NewIntConv plans a convolution with packed weights.
func NewIntConv(s ConvShape, w *IntWeights) (*IntConv, error) { return newIntConv(s, w, 0) }

// NewIntConvReal plans a convolution whose tasks store floats that something else,
// as large, is added to: tasks are small enough for both to stay in the cache.
func NewIntConvReal(s ConvShape, w *IntWeights) (*IntConv, error) { return newIntConv(s, w, 8*s.O) }

func newIntConv(s ConvShape, w *IntWeights, result int) (*IntConv, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if w.kh != s.KH || w.kw != s.KW || w.c != s.C || w.groups != s.Groups || w.o != s.O || w.runs != intRunsOf(&s) {
		return nil, fmt.Errorf("integer weights do not belong to the convolution %+v", s)
	}
	// Few rows take the time of reading the weights.
	want := taskCount(max(s.Flops()/2, 4*float64(w.o)*float64(w.c/w.groups*w.kh*w.kw)))
	ragged, dense := w.runs.n%4 != 0, w.runs.n != s.C/s.Groups
	if s.depthwise() {
		// All channels make one group of panels.
		want, ragged = taskCount(8*s.Flops()), s.C%w.tile.nr() != 0
		s.Groups = 1
	}
	c := &IntConv{bandPlan: newBandPlan(s, 1, w.tile.nr()), w: w, line: planLines(&s, w)}
	c.result = result
	switch {
	case s.padded() || ragged && s.KH*s.KW > 1:
		c.access = banded
	case s.KH*s.KW == 1 && (ragged || aliases(s.SrcStride*s.StrideW, 1) && c.panels >= 4 && (!c.rows() || s.SrcStride%2048 == 0)):
		c.access = gathered
	}
	if c.access != direct {
		if c.pixel = s.C; !dense {
			c.pixel = apart(s.C, 1)
		}
	}
	c.segs = c.segments(dense)
	if s.N*c.oh*c.ow > 0 {
		if c.rows() {
			c.splitRows(intBytes, want)
		} else {
			c.split(intBytes, want)
		}
		if c.line.run != nil {
			c.splitLines(want)
		}
		c.scratchBytes = 4 * c.bandPixels
		if c.access != direct {
			// Tiles read whole quads, or whole panels of channels.
			c.scratchBytes += c.bandElements() + max(3, w.tile.nr()-1)
		}
		if c.line.run != nil {
			c.scratchBytes = max(c.scratchBytes, s.W*s.SrcStride)
		}
	}
	c.order = w.orders(c.segs)
	c.planStack()
	return c, nil
}

// segments lists the runs that one output pixel reads.
func (c *IntConv) segments(dense bool) []seg {
	var segs []seg
	s, quads := &c.s, c.w.runs.quads()
	for y := range s.KH {
		row := y * s.DilH * c.wp * c.pixel
		switch {
		case dense:
			segs = append(segs, seg{row, quads})
			continue
		case c.w.tile.form != formChannels && s.DilW == 1 && c.pixel == s.C && s.Groups == 1 && s.C%4 == 0:
			segs = append(segs, seg{row, s.KW * quads})
			continue
		}
		for x := range s.KW {
			segs = append(segs, seg{row + x*s.DilW*c.pixel, quads})
		}
	}
	return segs
}

// NewIntGemm plans C[M,N] = A[M,K]·B[K,N] of u8 codes and packed s8 weights.
func NewIntGemm(s GemmShape, w *IntWeights) (*IntConv, error) {
	return NewIntConv(ConvShape{N: 1, H: s.M, W: 1, C: s.K, KH: 1, KW: 1, O: s.N,
		SrcStride: s.LDA, DstStride: s.LDC, ResStride: s.LDR}, w)
}

// PackIntGemm packs the right-hand matrix of a product, transposed to [N][K];
// see PackIntConv.
func PackIntGemm(n, k int, b []int8, zero uint8) (*IntWeights, error) {
	return PackIntConv(ConvShape{C: k, O: n, KH: 1, KW: 1}, b, zero)
}

// ScratchBytes is how much scratch, aligned to 4 bytes, one running task needs.
func (c *IntConv) ScratchBytes() int { return c.scratchBytes }

// Run computes one task and stores codes.
func (c *IntConv) Run(task int, dst, src []uint8, ep *IntEpilogue, scratch []uint8) {
	c.run(task, dst, storeCodes, src, ep, scratch)
}

// RunFloat is Run that stores y of the epilogue.
func (c *IntConv) RunFloat(task int, dst []float32, src []uint8, ep *IntEpilogue, scratch []uint8) {
	c.run(task, rawBytes(dst), storeFloat, src, ep, scratch)
}

// RunSums is Run that stores the sums of the first order themselves.
func (c *IntConv) RunSums(task int, dst []int32, src, scratch []uint8) {
	c.run(task, rawBytes(dst), storeSums, src, &IntEpilogue{}, scratch)
}

func (c *IntConv) run(task int, dst []uint8, store intStore, src []uint8, ep *IntEpilogue, scratch []uint8) {
	s := &c.s
	ep.check(store, s.O)
	ep.checkStack(store, c.w.stack)
	// Tasks of one band lie beside each other: threads share its source.
	r0, r1 := c.band(task)
	pad := c.w.zero
	if ep.Pads {
		pad = ep.Pad
	}
	if c.line.takes(store, ep) {
		c.lines(dst, src, ep, pad, scratch, r0, r1)
		return
	}
	rows := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(scratch[:4*(r1-r0)*c.ow]))), (r1-r0)*c.ow)
	scratch = scratch[4*len(rows):]
	stacked := floatView(scratch[:4*c.stack.total])
	src = reach(&c.bandPlan, rows, src, scratch[4*c.stack.total:], r0, r1, pad)
	p := intProductPool.Get().(*intProduct)
	defer p.release()
	*p = intProduct{tile: c.w.tile, rows: rows, segs: c.segs, codes: c.w.codes, store: store,
		dst: dst[r0*c.ow*s.DstStride*store.size():], ldc: s.DstStride, ldr: s.ResStride, ep: ep}
	if ep.Residual != nil && store != storeSums {
		p.res = ep.Residual[r0*c.ow*s.ResStride:]
	}
	if ep.Extra != nil && store != storeSums {
		p.added = ep.Extra[r0*c.ow*s.O : s.N*c.oh*c.ow*s.O+ExtraRoom]
	}
	if ep.Mid != nil {
		fill(p.shifts[:], ep.Mid.Shift)
	}
	first := task % c.panelTasks * c.panelsPerTask
	last := min(first+c.panelsPerTask, c.panels*s.Groups)
	if c.w.stack != nil && store != storeSums {
		c.stackedRange(p, src, first, last, stacked)
		return
	}
	c.panelRange(p, src, first, last)
}

// panelRange multiplies all rows of a task by panels first ≤ i < last.
func (c *IntConv) panelRange(p *intProduct, src []uint8, first, last int) {
	t := intTilePool.Get().(*intArgs)
	step := len(p.rows)
	if (last-first)*len(c.w.panels[first].data) <= intBytes {
		step = evenRows(len(p.rows))
	}
	for r := 0; r < len(p.rows); r += step {
		for i := first; i < last; i++ {
			c.onePanel(t, p, src, i, r, min(r+step, len(p.rows)))
		}
	}
	*t = intArgs{}
	intTilePool.Put(t)
}

// Region is the part of the result that a task computes: pixels and channels,
// from the first up to but without the last.
func (c *IntConv) Region(task int) (r0, r1, c0, c1 int) {
	s := &c.s
	r0, r1 = c.band(task)
	r0, r1 = r0*c.ow, r1*c.ow
	og := s.O / s.Groups
	first := task % c.panelTasks * c.panelsPerTask
	last := min(first+c.panelsPerTask, c.panels*s.Groups) - 1
	c0 = first/c.panels*og + first%c.panels*c.nr
	c1 = last/c.panels*og + min((last%c.panels+1)*c.nr, og)
	return r0, r1, c0, c1
}
