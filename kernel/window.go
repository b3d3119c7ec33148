package kernel

import "sync"

// tap is one position of a window: an offset into the source and one into the
// weights.
type tap struct {
	src, w int32
}

// winArgs is one call of a window loop: px pixels of c channels, each a
// reduction over the same taps,
//
//	dst[i*dstStep+j] = finish(reduce_t src[i*srcStep+taps[t].src+j] · w[taps[t].w+j])
//
// Where windows are one pixel apart and the taps come in rows of three or five
// neighbours, near is their number. Assembly reads this struct by offset
// (TestArgsLayout).
type winArgs struct {
	dst, src, w, bias, res    []float32
	taps                      []tap
	dstStep, srcStep, resStep int
	px, c                     int
	scale, lo, hi             float32
	near                      int
}

// neighbours is the length of the rows of taps of a span whose windows are one
// pixel apart, where assembly has loops for it; else 0.
func (s *ConvShape) neighbours(x span) int {
	if n := x.k1 - x.k0; s.DilW == 1 && s.StrideW == 1 && (n == 3 || n == 5) {
		return n
	}
	return 0
}

var winPool = sync.Pool{New: func() any { return new(winArgs) }}

// span is a run of output positions that see the same taps k0 ≤ k < k1, and have
// the same number of taps in the padded source.
type span struct {
	at, n, k0, k1 int
	padded        int
}

// spans cuts one axis of the output into runs, given the padding on both ends.
func spans(out, in, k, stride, dil, pad, padEnd int) []span {
	var list []span
	for o := range out {
		first := o*stride - pad
		padded := inside(o*stride, k, dil, in+pad+padEnd)
		k0, k1 := 0, k
		if first < 0 {
			k0 = min(k, (-first+dil-1)/dil)
		}
		if last := first + (k-1)*dil; last >= in {
			k1 = max(k0, k-(last-in+dil)/dil)
		}
		if n := len(list); n > 0 && list[n-1].k0 == k0 && list[n-1].k1 == k1 && list[n-1].padded == padded {
			list[n-1].n++
		} else {
			list = append(list, span{o, 1, k0, k1, padded})
		}
	}
	return list
}

// inside counts taps from at that lie below end.
func inside(at, k, dil, end int) int { return min(k, max(0, (end-at+dil-1)/dil)) }

// window is the plan shared by depthwise convolution and pooling.
type window struct {
	s      ConvShape
	oh, ow int
	ys     []line // one per output row
	xs     []span
	tasks  int
}

func newWindow(s ConvShape, oh, ow int) window {
	w := window{s: s, oh: oh, ow: ow, xs: spans(ow, s.W, s.KW, s.StrideW, s.DilW, s.PadL, s.PadR)}
	for _, y := range spans(oh, s.H, s.KH, s.StrideH, s.DilH, s.PadT, s.PadB) {
		l := line{span: y}
		for _, x := range w.xs {
			l.taps = append(l.taps, w.taps(y, x))
		}
		for range y.n {
			w.ys = append(w.ys, l)
		}
	}
	if rows := s.N * oh; rows > 0 && ow > 0 {
		perRow := ow * s.C * s.KH * s.KW
		w.tasks = min(taskCount(16*float64(rows)*float64(perRow)), rows)
	}
	return w
}

// line is one output row: the span it belongs to and the taps in use for every
// span of columns.
type line struct {
	span
	taps [][]tap
}

// taps lists the positions in use. Their offsets are relative to the first of
// them for the first pixel.
func (w *window) taps(y, x span) []tap {
	s := &w.s
	var list []tap
	for ky := y.k0; ky < y.k1; ky++ {
		for kx := x.k0; kx < x.k1; kx++ {
			list = append(list, tap{
				int32(((ky-y.k0)*s.DilH*s.W + (kx-x.k0)*s.DilW) * s.SrcStride),
				int32((ky*s.KW + kx) * s.C)})
		}
	}
	return list
}

// windowLoop is a loop over one winArgs.
type windowLoop func(*winArgs)

// call is a task under way.
type call struct {
	*winArgs
	w             *window
	dst, src, res []float32
	loop          windowLoop
	// each is called before every call of the loop.
	each func(a *winArgs, y, x span)
	act  func(dst, src []float32) // comes last; nil for none
}

// run computes one task. Rows that see the same taps are taken together: a
// column beside the padding is one call then, not one per row.
func (w *window) run(task int, c call) {
	s := &w.s
	c.w, c.src = w, c.src[:extent(s.N*s.H*s.W, s.C, s.SrcStride):len(c.src)]
	all := s.N * w.oh
	end := (task + 1) * all / w.tasks
	for r := task * all / w.tasks; r < end; {
		y := w.ys[r%w.oh]
		rows := min(end-r, y.at+y.n-r%w.oh)
		for i, x := range w.xs {
			if c.taps = y.taps[i]; x.n == 1 && rows > 1 {
				c.near = 0
				c.pixels(y.span, x, r, rows, s.StrideH*s.W, w.ow)
				continue
			}
			c.near = s.neighbours(x)
			for row := range rows {
				c.pixels(y.span, x, r+row, x.n, s.StrideW, 1)
			}
		}
		actRows(c.act, c.dst[r*w.ow*s.DstStride:], rows*w.ow, s.C, s.DstStride)
		r += rows
	}
}

// pixels computes px windows, srcStep source and dstStep output pixels apart,
// from the first one of span x in output row r.
func (c *call) pixels(y, x span, r, px, srcStep, dstStep int) {
	w, s := c.w, &c.w.s
	if c.winArgs.src = nil; len(c.taps) > 0 {
		sy := r%w.oh*s.StrideH - s.PadT + y.k0*s.DilH
		sx := x.at*s.StrideW - s.PadL + x.k0*s.DilW
		c.winArgs.src = c.src[((r/w.oh*s.H+sy)*s.W+sx)*s.SrcStride:]
	}
	at := r*w.ow + x.at
	last := at + (px-1)*dstStep
	c.winArgs.dst = c.dst[at*s.DstStride : last*s.DstStride+s.C]
	c.dstStep, c.srcStep, c.px, c.c = dstStep*s.DstStride, srcStep*s.SrcStride, px, s.C
	if c.res != nil {
		c.winArgs.res, c.resStep = c.res[at*s.ResStride:last*s.ResStride+s.C], dstStep*s.ResStride
	}
	if c.each != nil {
		c.each(c.winArgs, y, x)
	}
	c.loop(c.winArgs)
}

// release clears the arguments for the next user.
func (a *winArgs) release() {
	*a = winArgs{}
	winPool.Put(a)
}

// extent is the size of pixels of c channels, stride apart, without the gap
// behind the last.
func extent(pixels, c, stride int) int { return max(0, (pixels-1)*stride+c) }
