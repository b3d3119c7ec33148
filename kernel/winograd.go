package kernel

import (
	"errors"
	"fmt"
)

// Winograd is a planned convolution by 3x3 filters in Winograd's form: tiles of
// m×m outputs are computed from (m+2)² products per channel instead of 9m². A
// task transforms a block of tiles of the source, multiplies them by a range of
// panels tap by tap, and transforms the sums back; all that lies between fits
// in the second cache.
//
// Transforms round more often than direct sums do. Relative to the root mean
// square of the result the error grows with the channels, from 4e-7 on 16 to
// 1.7e-6 on 512 for m = 4, and from 1.4e-7 to 6.5e-7 for m = 2, where that of
// the direct form goes from 1.5e-7 to 3.2e-7; TestWinogradError holds 2e-6 and
// 1e-6. A value that is not finite, or beyond 1e37, spoils all outputs of the
// tiles that read it, not only those whose filters reach it.
type Winograd struct {
	s            ConvShape
	m, edge      int // of the output and of the input tile
	oh, ow       int
	down, across int // tiles of an image
	block        int // tiles of one task
	blocks       int
	panels       int
	panelTasks   int
	perTask      int // panels
	pitch        int // channels of a transformed tile, whole lines
	tapIn        int // elements from one tap to the next
	tapOut       int
	tile         *tile
	segs         [][]seg
}

var errWinograd = errors.New("not of Winograd's form: needs 3x3 filters with stride and dilation 1, one group")

// checkWinograd fills in defaults and reports what the form cannot do.
func (s *ConvShape) checkWinograd(m int) error {
	if err := s.check(); err != nil {
		return err
	}
	if m != 2 && m != 4 {
		return fmt.Errorf("convolution: tiles of %dx%d outputs, want 2 or 4", m, m)
	}
	if s.KH != 3 || s.KW != 3 || s.StrideH*s.StrideW*s.DilH*s.DilW*s.Groups != 1 {
		return fmt.Errorf("convolution %+v: %w", *s, errWinograd)
	}
	return nil
}

// NewWinograd plans a convolution in tiles of m×m outputs, m being 2 or 4.
func NewWinograd(s ConvShape, m int) (*Winograd, error) {
	if err := s.checkWinograd(m); err != nil {
		return nil, err
	}
	w := &Winograd{s: s, m: m, edge: m + 2, oh: s.OH(), ow: s.OW(), tile: pickTile()}
	w.down, w.across = (w.oh+m-1)/m, (w.ow+m-1)/m
	w.panels = (s.O + w.tile.nr - 1) / w.tile.nr
	w.pitch = (s.C + 15) / 16 * 16
	w.segs = blockSegs([]seg{{0, s.C}}, w.tile.kBlock)
	w.split()
	w.tapIn, w.tapOut = oddLines(w.block*w.pitch), oddLines(w.block*w.tile.nr)
	return w, nil
}

// oddLines rounds up to an odd number of cache lines: taps so far apart use all
// sets of the first cache.
func oddLines(n int) int { return (n+15)/16*16 | 16 }

// leastTiles and mostTiles bound the tiles of one task where there are enough:
// fewer would read the weights too often, more would not fit in the second
// cache with all their taps.
const leastTiles, mostTiles = 16, 48

// split chooses the tasks.
func (w *Winograd) split() {
	all := w.s.N * w.down * w.across
	if all == 0 {
		return
	}
	want := taskCount(w.s.Flops())
	most := min(mostTiles, max(leastTiles, aFloats/(w.taps()*w.pitch)))
	w.blocks = max((all+most-1)/most, min(want, all/24))
	// Every task transforms its tiles; enough channels must share them.
	w.panelTasks = min(max(1, w.s.O/128), (want+w.blocks-1)/w.blocks, w.panels)
	if w.panelTasks == 1 {
		w.blocks = max(w.blocks, min(want, 4, all/8))
	}
	w.block = (all + w.blocks - 1) / w.blocks
	w.blocks = (all + w.block - 1) / w.block
	w.perTask = (w.panels + w.panelTasks - 1) / w.panelTasks
	w.panelTasks = (w.panels + w.perTask - 1) / w.perTask
}

func (w *Winograd) taps() int { return w.edge * w.edge }

// Tasks is the number of independent tasks; they write disjoint outputs.
func (w *Winograd) Tasks() int { return w.blocks * w.panelTasks }

// ScratchFloats is how much scratch one running task needs.
func (w *Winograd) ScratchFloats() int {
	return w.taps()*(w.tapIn+w.tapOut+apart(w.pitch, 4)) + (w.block+15)/16*16
}

// Run computes one task: dst = act(clamp(conv(src) + bias + residual)).
func (w *Winograd) Run(task int, dst, src []float32, f *WinogradWeights, ep *Epilogue, scratch []float32) {
	if f.m != w.m || f.c != w.s.C || f.o != w.s.O || f.tile != w.tile {
		panic(fmt.Sprintf("kernel: weights do not belong to the convolution %+v", w.s))
	}
	first := task / w.panelTasks * w.block
	tiles := min(w.block, w.s.N*w.down*w.across-first)
	in, scratch := scratch[:w.taps()*w.tapIn], scratch[w.taps()*w.tapIn:]
	out, scratch := scratch[:w.taps()*w.tapOut], scratch[w.taps()*w.tapOut:]
	patch, scratch := scratch[:w.taps()*apart(w.pitch, 4)], scratch[w.taps()*apart(w.pitch, 4):]
	load, store := winogradLoops(w.m)
	for i := range tiles {
		w.load(load, in[i*w.pitch:], src, w.spot(first+i), patch)
	}
	rows := int32s(scratch, tiles)
	for i := range rows {
		rows[i] = int32(i * w.pitch)
	}
	a := winogradPool.Get().(*winogradOut)
	from := task % w.panelTasks * w.perTask
	for i := from; i < min(from+w.perTask, w.panels); i++ {
		data, width := f.panel(i)
		w.multiply(out, in, rows, data, width)
		w.finish(a, store, dst, out, ep, first, tiles, i*w.tile.nr, width)
	}
	*a = winogradOut{}
	winogradPool.Put(a)
}

// spot is where a tile lies: its image, and its first output pixel.
type spot struct{ n, y, x int }

func (w *Winograd) spot(i int) spot {
	n, i := i/(w.down*w.across), i%(w.down*w.across)
	return spot{n, i / w.across * w.m, i % w.across * w.m}
}

// load transforms one tile of the source, by way of patch where it reaches into
// the padding.
func (w *Winograd) load(loop winogradInLoop, dst, src []float32, at spot, patch []float32) {
	s := &w.s
	y, x := at.y-s.PadT, at.x-s.PadL
	if y >= 0 && x >= 0 && y+w.edge <= s.H && x+w.edge <= s.W {
		from := ((at.n*s.H+y)*s.W + x) * s.SrcStride
		to := from + ((w.edge-1)*s.W+w.edge-1)*s.SrcStride + s.C
		loop(dst, src[from:to], s.C, s.W*s.SrcStride, s.SrcStride, w.tapIn)
		return
	}
	pixel := apart(w.pitch, 4)
	clear(patch)
	x0, x1 := max(0, x), min(s.W, x+w.edge)
	for row := max(0, y); row < min(s.H, y+w.edge) && x0 < x1; row++ {
		copyPixels(patch[((row-y)*w.edge+x0-x)*pixel:], src[((at.n*s.H+row)*s.W+x0)*s.SrcStride:], x1-x0, s.C, pixel, s.SrcStride)
	}
	loop(dst, patch, s.C, w.edge*pixel, pixel, w.tapIn)
}

// multiply computes the sums of all taps for one panel.
func (w *Winograd) multiply(out, in []float32, rows []int32, panel []float32, width int) {
	t := tilePool.Get().(*tileArgs)
	p := product{tile: w.tile, rows: rows, blocks: w.segs, ldc: width}
	for tap := range w.taps() {
		p.src, p.dst = in[tap*w.tapIn:], out[tap*w.tapOut:]
		p.run(t, 0, len(rows), panel[tap*w.s.C*width:], width, 0, width)
	}
	*t = tileArgs{}
	tilePool.Put(t)
}

// finish transforms the sums of one panel, from output channel o on.
func (w *Winograd) finish(a *winogradOut, loop winogradOutLoop, dst, sums []float32, ep *Epilogue, first, tiles, o, width int) {
	s := &w.s
	a.n = min(width, s.O-o)
	a.tap, a.row, a.pixel = w.tapOut, w.ow*s.DstStride, s.DstStride
	a.resRow, a.resPixel = w.ow*s.ResStride, s.ResStride
	a.lo, a.hi = ep.limits()
	if a.bias = nil; ep.Bias != nil {
		a.bias = ep.Bias[o : o+a.n]
	}
	for i := range tiles {
		at := w.spot(first + i)
		a.h, a.w = min(w.m, w.oh-at.y), min(w.m, w.ow-at.x)
		pixel := (at.n*w.oh+at.y)*w.ow + at.x
		last := pixel + (a.h-1)*w.ow + a.w - 1
		a.src = sums[i*width : (w.taps()-1)*w.tapOut+i*width+a.n]
		a.dst = dst[pixel*s.DstStride+o : last*s.DstStride+o+a.n]
		if a.res = nil; ep.Residual != nil {
			a.res = ep.Residual[pixel*s.ResStride+o : last*s.ResStride+o+a.n]
		}
		loop(a)
		for y := 0; y < a.h && ep.Act != nil; y++ {
			actRows(ep.Act, a.dst[y*a.row:], a.w, a.n, a.pixel)
		}
	}
}
