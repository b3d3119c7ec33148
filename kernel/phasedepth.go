package kernel

// phaseDepthwise is the gradient of a depthwise convolution by classes of pixels.
type phaseDepthwise struct {
	s      ConvShape
	ys     []depthSpan // one per source row
	xs     []depthSpan
	taps   [][]tap // by row, then by span of columns; rows that see the same share them
	tasks  int
	stepX  int
	oh, ow int
}

// depthSpan is a run of source positions, a stride apart, that see the same taps:
// taps k of the turned filter reach outputs first, first+step and so on from the first
// position on.
type depthSpan struct {
	at, n, first int
	k            []int
}

// depthSpans cuts the classes of an axis into runs.
func depthSpans(in, out, k, stride, dil, pad int) (list []depthSpan, step int) {
	classes, step := phases(in, k, stride, dil, pad)
	for r, p := range classes {
		for i := range p.n {
			span := depthSpan{at: r + i*stride, n: 1}
			for t, tap := range p.taps {
				if at := p.first + i + t*step; at >= 0 && at < out {
					if span.k = append(span.k, k-1-tap); len(span.k) == 1 {
						span.first = at
					}
				}
			}
			list = append(list, span)
		}
	}
	return list, step
}

// joined puts neighbours together that see the same taps.
func joined(list []depthSpan, stride int) (runs []depthSpan) {
	for _, s := range list {
		if n := len(runs); n > 0 && runs[n-1].at+runs[n-1].n*stride == s.at && sameTaps(&runs[n-1], &s) {
			runs[n-1].n++
			continue
		}
		runs = append(runs, s)
	}
	return runs
}

// sameTaps reports whether b, one position behind the end of a, belongs to it.
func sameTaps(a, b *depthSpan) bool {
	return len(a.k) == len(b.k) && (len(a.k) == 0 || a.k[0] == b.k[0] && a.first+a.n == b.first)
}

func newPhaseDepthwise(s ConvShape) *phaseDepthwise {
	d := &phaseDepthwise{s: s, oh: s.OH(), ow: s.OW()}
	ys, stepY := depthSpans(s.H, d.oh, s.KH, s.StrideH, s.DilH, s.PadT)
	xs, stepX := depthSpans(s.W, d.ow, s.KW, s.StrideW, s.DilW, s.PadL)
	d.ys, d.xs, d.stepX = make([]depthSpan, s.H), joined(xs, s.StrideW), stepX
	for _, y := range ys {
		d.ys[y.at] = y
	}
	for _, y := range d.ys {
		for _, x := range d.xs {
			d.taps = append(d.taps, d.tapsOf(y, x, stepY))
		}
	}
	if rows := s.N * s.H; rows*s.W > 0 {
		d.tasks = min(taskCount(8*s.Flops()), rows)
	}
	return d
}

// tapsOf lists what a row and a run of columns see, from the first on.
func (d *phaseDepthwise) tapsOf(y, x depthSpan, stepY int) (list []tap) {
	for i, ky := range y.k {
		for j, kx := range x.k {
			list = append(list, tap{
				int32((i*stepY*d.ow + j*d.stepX) * d.s.DstStride),
				int32((ky*d.s.KW + kx) * d.s.C)})
		}
	}
	return list
}

// Tasks is the number of independent tasks.
func (d *phaseDepthwise) Tasks() int { return d.tasks }

// ScratchFloats is how much scratch one running task needs.
func (d *phaseDepthwise) ScratchFloats() int { return 0 }

func (d *phaseDepthwise) newWeights(w *InputGradWeights) { w.newDepth() }

func (d *phaseDepthwise) run(task int, dx, dy []float32, w *InputGradWeights, add bool, _ []float32) {
	s, loop := &d.s, pick(depthwiseLoops)
	a := winPool.Get().(*winArgs)
	a.w, a.c, a.lo, a.hi = w.depth, s.C, -inf, inf
	a.srcStep, a.dstStep = s.DstStride, s.StrideW*s.SrcStride
	a.resStep = a.dstStep
	all := s.N * s.H
	for r := task * all / d.tasks; r < (task+1)*all/d.tasks; r++ {
		d.row(a, dx, dy, r/s.H, r%s.H, add, loop)
	}
	a.release()
}

// row computes one row of dX.
func (d *phaseDepthwise) row(a *winArgs, dx, dy []float32, n, at int, add bool, loop windowLoop) {
	s, y := &d.s, &d.ys[at]
	for i, x := range d.xs {
		a.taps = d.taps[at*len(d.xs)+i]
		if add && len(a.taps) == 0 {
			continue
		}
		a.src = nil
		if len(a.taps) > 0 {
			a.src = dy[((n*d.oh+y.first)*d.ow+x.first)*s.DstStride:]
		}
		a.dst = dx[((n*s.H+at)*s.W+x.at)*s.SrcStride:][:(x.n-1)*a.dstStep+s.C]
		if a.res = nil; add {
			a.res = a.dst
		}
		a.px = x.n
		loop(a)
	}
}
