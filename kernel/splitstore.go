package kernel

// store turns the sums of a task back into pixels, with what follows a sum.
func (t *splitTask) store(dst []float32, ep *Epilogue) {
	n := t.to - t.from
	ones := t.z[:n]
	fill(ones, 1)
	a := winPool.Get().(*winArgs)
	a.w, a.taps, a.c = ones, oneTap[:], n
	a.srcStep, a.dstStep, a.resStep = n, t.s.DstStride, t.s.ResStride
	a.lo, a.hi = ep.limits()
	if ep.Bias != nil {
		a.bias = ep.Bias[t.from:t.to]
	}
	for i := t.first; i < t.last; i++ {
		y := t.y[(i-t.first)*t.outputs*splitStrip:][:n*splitStrip]
		Transpose(t.loose, y, n, splitStrip)
		at := i * splitStrip
		for end := at + t.width(i); at < end; {
			t.run(a, dst, ep, at, i*splitStrip, end)
			at += t.pitch - at%t.pitch
		}
	}
	a.release()
}

var oneTap = [1]tap{}

// run stores the outputs of one line from place at on, as far as end; the strip
// begins at place start.
func (t *splitTask) run(a *winArgs, dst []float32, ep *Epilogue, at, start, end int) {
	y, x := at/t.pitch, at%t.pitch
	a.px = min(t.ow-x, end-at)
	if a.px <= 0 {
		return
	}
	n := a.c
	a.src = t.loose[(at-start)*n:][:a.px*n]
	pixel := (t.image*t.oh+y)*t.ow + x
	last := pixel + a.px - 1
	a.dst = dst[pixel*t.s.DstStride+t.from : last*t.s.DstStride+t.to]
	if ep.Residual != nil {
		a.res = ep.Residual[pixel*t.s.ResStride+t.from : last*t.s.ResStride+t.to]
	}
	px := a.px
	pick(depthwiseLoops)(a)
	actRows(ep.Act, dst[pixel*t.s.DstStride+t.from:], px, n, t.s.DstStride)
}
