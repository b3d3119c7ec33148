package kernel

import "sync"

// intWinogradRun is a running task of an IntWinograd.
type intWinogradRun struct {
	*IntWinograd
	src    []uint8
	pad    uint8
	in     []int16 // transformed tiles by tap
	out    []int32 // sums of a panel by tap
	line   []int32 // sums of a row of tiles, pixel by pixel
	patch  []uint8
	tiles  []int32 // where tiles begin in a tap, in bytes
	pixels []int32 // where pixels begin in line, in bytes
	dst    []uint8
	t      intArgs
	p      intProduct
}

var intWinogradPool = sync.Pool{New: func() any { return new(intWinogradRun) }}

func (w *IntWinograd) newRun(dst []uint8, store intStore, src []uint8, ep *IntEpilogue, scratch []uint8) *intWinogradRun {
	r := intWinogradPool.Get().(*intWinogradRun)
	r.IntWinograd, r.src, r.dst = w, src, dst
	if r.pad = w.w.zero; ep.Pads {
		r.pad = ep.Pad
	}
	scratch = rawBytes(lined(ints(scratch)))
	take := func(n int) []uint8 {
		part := scratch[:n:n]
		scratch = scratch[n:]
		return part
	}
	r.in, r.out = shorts(take(2*w.taps()*w.tapIn)), ints(take(4*w.taps()*w.tapOut))
	r.line, r.patch = ints(take(4*w.lineInts())), take(w.patchBytes())
	r.tiles, r.pixels = ints(take(4*w.rows*w.piece)), ints(take(4*w.m*w.m*w.piece))
	for i := range r.tiles {
		r.tiles[i] = int32(2 * i * w.pitch)
	}
	r.p = intProduct{tile: w.w.sums, src: rawBytes(r.line), store: store, ldc: w.s.DstStride, ldr: w.s.ResStride, ep: ep}
	if ep.Mid != nil {
		fill(r.p.shifts[:], ep.Mid.Shift)
	}
	return r
}

// free gives the run back.
func (r *intWinogradRun) free() {
	*r = intWinogradRun{}
	intWinogradPool.Put(r)
}

// load transforms tiles x ≤ i < to of rows of tiles.
func (r *intWinogradRun) load(first, last, x, to int) {
	at := 0
	for y := first; y < last; y++ {
		for i := x; i < to; i++ {
			r.loadOne(r.in[at:], y/r.down, y%r.down*r.m-r.s.PadT, i*r.m-r.s.PadL)
			at += r.pitch
		}
	}
}

// loadOne transforms the tile of image n that begins at the given pixel, by way
// of patch where it reaches into the padding.
func (r *intWinogradRun) loadOne(dst []int16, n, y, x int) {
	s := &r.s
	if y >= 0 && x >= 0 && y+r.edge <= s.H && x+r.edge <= s.W {
		from := ((n*s.H+y)*s.W + x) * s.SrcStride
		to := from + ((r.edge-1)*s.W+r.edge-1)*s.SrcStride + s.C
		r.w.load(dst, r.src[from:to], s.C, s.W*s.SrcStride, s.SrcStride, r.tapIn)
		return
	}
	fill(r.patch, r.pad)
	x0, x1 := max(0, x), min(s.W, x+r.edge)
	for row := max(0, y); row < min(s.H, y+r.edge) && x0 < x1; row++ {
		copyPixels(r.patch[((row-y)*r.edge+x0-x)*r.pixel:], r.src[((n*s.H+row)*s.W+x0)*s.SrcStride:], x1-x0, s.C, r.pixel, s.SrcStride)
	}
	r.w.load(dst, r.patch, s.C, r.edge*r.pixel, r.pixel, r.tapIn)
}

// multiply computes the sums of all taps for one panel and so many tiles.
func (r *intWinogradRun) multiply(panel *intPanel, tiles int) {
	t, k := &r.t, narrowest(r.w.tile.panels, panel.width)
	size := len(panel.data) / r.taps()
	t.segs, t.n, t.ldc = r.segs, panel.width, 4*panel.width
	t.res, t.extra = nil, nil
	stacks := cut(tiles, k.mr)
	for tap := range r.taps() {
		t.src, t.b = rawShorts(r.in[tap*r.tapIn:(tap+1)*r.tapIn]), panel.data[tap*size:(tap+1)*size]
		out, rows := rawBytes(r.out[tap*r.tapOut:][:tiles*panel.width]), r.tiles[:tiles]
		for _, c := range stacks {
			if n := c.rows * c.tiles; n > 0 {
				t.tiles, t.rows, t.c = c.tiles, rows[:n], out[:n*t.ldc]
				k.run(c.rows, t)
				rows, out = rows[n:], out[n*4*panel.width:]
			}
		}
	}
}

// finish transforms the sums of tiles x ≤ i < to, from the given one on, of row y
// of tiles back, and stores what comes of them from column j on.
func (r *intWinogradRun) finish(panel *intPanel, j, y, tile, x, to int) {
	w := panel.width
	pitch := (to - x) * r.m * w
	for i := range to - x {
		r.w.store(r.line[i*r.m*w:], r.out[(tile+i)*w:], w, pitch, r.tapOut)
	}
	top := r.outRow(y)
	high, wide := min(r.m, r.oh-y%r.down*r.m), min(to*r.m, r.ow)-x*r.m
	for row := range high {
		for px := range wide {
			r.pixels[row*wide+px] = int32(4 * (row*pitch + px*w))
		}
	}
	if wide == r.ow {
		r.end(panel, j, top*r.ow, 0, high*wide)
		return
	}
	for row := range high {
		r.end(panel, j, (top+row)*r.ow+x*r.m, row*wide, wide)
	}
}

// end finishes n sums from the given one on, which are those of pixels of the
// result in a row.
func (r *intWinogradRun) end(panel *intPanel, j, pixel, from, n int) {
	p, s := &r.p, &r.s
	p.rows = r.pixels[from : from+n]
	p.dst = r.dst[pixel*s.DstStride*p.store.size():]
	if p.store != storeSums {
		if p.res = nil; p.ep.Residual != nil {
			p.res = p.ep.Residual[pixel*s.ResStride:]
		}
		if p.extra = nil; p.ep.Extra != nil {
			p.extra, p.lde = p.ep.Extra[pixel*s.O+j:s.N*r.oh*r.ow*s.O+ExtraRoom], s.O
		}
	}
	run := p.run
	if p.ep.Steps != nil && p.store == storeCodes && !p.looks() {
		run = p.stepped
	}
	run(&r.t, 0, n, panel, j, min(panel.width, s.O-j))
}
