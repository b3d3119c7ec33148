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
// Where the taps come in rows of three or five neighbouring pixels, rows says so.
// Assembly reads this struct by offset (TestArgsLayout).
type winArgs struct {
	dst, src, w, bias, res    []float32
	taps                      []tap
	dstStep, srcStep, resStep int
	px, c                     int
	scale, lo, hi             float32
	rows                      tapRows
}

// tapRows is a form of windows that has loops of its own.
type tapRows int

const (
	anyTaps tapRows = iota
	rows3s1         // rows of three taps, windows one pixel apart
	rows3s2
	rows5s1
	rows5s2
)

// tapRows is the form of the windows of one span.
func (s *ConvShape) tapRows(x span) tapRows {
	if s.DilW != 1 || s.StrideW > 2 {
		return anyTaps
	}
	switch x.k1 - x.k0 {
	case 3:
		return rows3s1 + tapRows(s.StrideW-1)
	case 5:
		return rows5s1 + tapRows(s.StrideW-1)
	}
	return anyTaps
}

var winPool = sync.Pool{New: func() any { return new(winArgs) }}

// span is a run of output positions that see the same taps k0 ≤ k < k1.
type span struct {
	at, n, k0, k1 int
}

// spans cuts one axis of the output into runs. pad is the padding before the
// first element.
func spans(out, in, k, stride, dil, pad int) []span {
	var list []span
	for o := range out {
		first := o*stride - pad
		k0, k1 := 0, k
		if first < 0 {
			k0 = min(k, (-first+dil-1)/dil)
		}
		if last := first + (k-1)*dil; last >= in {
			k1 = max(k0, k-(last-in+dil)/dil)
		}
		if n := len(list); n > 0 && list[n-1].k0 == k0 && list[n-1].k1 == k1 {
			list[n-1].n++
		} else {
			list = append(list, span{o, 1, k0, k1})
		}
	}
	return list
}

// window is the plan shared by depthwise convolution and pooling.
type window struct {
	s           ConvShape
	oh, ow      int
	ys          []line // one per output row
	xs          []span
	rowsPerTask int
	tasks       int
}

func newWindow(s ConvShape, oh, ow int) window {
	w := window{s: s, oh: oh, ow: ow, xs: spans(ow, s.W, s.KW, s.StrideW, s.DilW, s.PadL)}
	for _, y := range spans(oh, s.H, s.KH, s.StrideH, s.DilH, s.PadT) {
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
		n := min(max(rows*perRow/(1<<18), 1), 32, rows)
		w.rowsPerTask = (rows + n - 1) / n
		w.tasks = (rows + w.rowsPerTask - 1) / w.rowsPerTask
	}
	return w
}

// line is the rows of windows of one output row, with the taps in use for every
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

// run computes one task with loop; each is called before every call of the
// loop with the position of its first output.
func (w *window) run(task int, dst, src []float32, a *winArgs, res []float32, loop windowLoop, each func(a *winArgs, y, x int)) {
	s := &w.s
	src = src[:extent(s.N*s.H*s.W, s.C, s.SrcStride):len(src)]
	for r := task * w.rowsPerTask; r < min((task+1)*w.rowsPerTask, s.N*w.oh); r++ {
		n, oy := r/w.oh, r%w.oh
		y := w.ys[oy]
		for i, x := range w.xs {
			a.taps = y.taps[i]
			a.src = nil
			if len(a.taps) > 0 {
				sy := oy*s.StrideH - s.PadT + y.k0*s.DilH
				sx := x.at*s.StrideW - s.PadL + x.k0*s.DilW
				a.src = src[((n*s.H+sy)*s.W+sx)*s.SrcStride:]
			}
			at := r*w.ow + x.at
			a.dst = dst[at*s.DstStride : (at+x.n-1)*s.DstStride+s.C]
			a.dstStep, a.srcStep, a.px, a.c = s.DstStride, s.StrideW*s.SrcStride, x.n, s.C
			a.rows = s.tapRows(x)
			if res != nil {
				a.res, a.resStep = res[at*s.ResStride:(at+x.n-1)*s.ResStride+s.C], s.ResStride
			}
			if each != nil {
				each(a, oy, x.at)
			}
			loop(a)
		}
	}
}

// release clears the arguments for the next user.
func (a *winArgs) release() {
	*a = winArgs{}
	winPool.Put(a)
}

// extent is the size of pixels of c channels, stride apart, without the gap
// behind the last.
func extent(pixels, c, stride int) int { return max(0, (pixels-1)*stride+c) }
