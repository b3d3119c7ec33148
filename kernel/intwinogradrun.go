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
	band   []uint8 // source of a row of tiles, with padding
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
	r.line, r.band = ints(take(4*w.lineInts())), take(w.bandBytes())
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
	for y := first; y < last; y++ {
		in := r.in[(y-first)*(to-x)*r.pitch:]
		band, row, pixel := r.source(y/r.down, y%r.down*r.m-r.s.PadT, x*r.m-r.s.PadL, (to-x)*r.m+2)
		r.w.loops.in(in, band, to-x, r.pitch, r.w.depth, row, pixel, r.tapIn)
	}
}

// source is the part of image n that begins at the given pixel, as wide as asked
// for, and the bytes from one row and pixel to the next: the source itself or, where
// it reaches into the padding or, with the channels that meet no weights, beyond the
// end, a copy.
func (r *intWinogradRun) source(n, y, x, wide int) (band []uint8, row, pixel int) {
	s := &r.s
	from := ((n*s.H+y)*s.W + x) * s.SrcStride
	to := from + ((r.edge-1)*s.W+wide-1)*s.SrcStride + r.w.depth
	if y >= 0 && x >= 0 && y+r.edge <= s.H && x+wide <= s.W && to <= len(r.src) {
		return r.src[from:to], s.W * s.SrcStride, s.SrcStride
	}
	line := r.bandWidth * r.pixel
	x0, x1 := max(0, x), min(s.W, x+wide)
	for i := range r.edge {
		d := r.band[i*line:][:wide*r.pixel]
		if y+i < 0 || y+i >= s.H || x0 >= x1 {
			fill(d, r.pad)
			continue
		}
		fill(d[:(x0-x)*r.pixel], r.pad)
		copyPixels(d[(x0-x)*r.pixel:], r.src[((n*s.H+y+i)*s.W+x0)*s.SrcStride:], x1-x0, s.C, r.pixel, s.SrcStride)
		fill(d[(x1-x)*r.pixel:], r.pad)
	}
	return r.band, line, r.pixel
}

// tapBytes is how large a panel may be to stay in the second cache while rows pass
// over all of its taps; of larger ones each tap is read by all rows first.
const tapBytes = 160 << 10

// multiply computes the sums of all taps for one panel and so many tiles.
func (r *intWinogradRun) multiply(panel *intPanel, tiles int) {
	t, k := &r.t, narrowest(r.w.tile.panels, panel.width)
	t.segs, t.n, t.ldc = r.segs, panel.width, 4*panel.width
	t.res, t.extra = nil, nil
	t.srcTap, t.bTap = 2*r.tapIn, len(panel.data)/r.taps()
	taps := 1
	if len(panel.data) <= tapBytes {
		taps = r.taps()
	}
	stacks := cut(tiles, k.mr)
	for tap := 0; tap < r.taps(); tap += taps {
		out, rows := rawBytes(r.out[tap*r.tapOut:]), r.tiles[:tiles]
		for _, c := range stacks {
			if n := c.rows * c.tiles; n > 0 {
				t.src, t.b = rawShorts(r.in[tap*r.tapIn:]), panel.data[tap*t.bTap:]
				t.taps, t.tiles, t.all, t.rows, t.c = taps, c.tiles, c.tiles, rows[:n], out
				t.back, t.cTap = 4*(n-c.rows), 4*r.tapOut-(n-c.rows)*t.ldc
				k.run(c.rows, t)
				rows, out = rows[n:], out[n*t.ldc:]
			}
		}
	}
}

// finish transforms the sums of tiles x ≤ i < to, from the given one on, of row y
// of tiles back, and stores what comes of them from column j on.
func (r *intWinogradRun) finish(panel *intPanel, j, y, tile, x, to int) {
	w := panel.width
	pitch := (to - x) * r.m * w
	r.w.loops.out(r.line, r.out[tile*w:], to-x, w, pitch, r.tapOut)
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
