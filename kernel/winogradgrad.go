package kernel

// winogradGrad is the weight gradient of a convolution in Winograd's form, the transpose
// of that of the forward pass: tiles of the source and of dY are transformed, sums of
// outer products run over the tiles tap by tap, and the sums of all tiles are
// transformed to the gradient of the filters. The sums of a slice are, for every panel
// of output channels, those of all taps and then the columns of the bias.
type winogradGrad struct {
	wino       *Winograd
	tile       *outerTile
	tiles      int // of the batch
	slices     int
	most       int // tiles of a block
	tapIn      int // elements from one tap to the next
	tapOut     int
	panels     int
	perPart    int
	panelParts int
	cols       int // of all panels
}

// gradTiles is how many tiles pass by the sums in registers: fewer would load and store
// these too often, more would leave the second cache.
const gradTiles = 64

// sliceGradFloats is the most memory that the sums of all slices should take, and
// mostGradFloats what those of one may.
const (
	sliceGradFloats = 1 << 22
	mostGradFloats  = 10 << 20
)

func newWinogradGrad(s ConvShape, m int) (*winogradGrad, error) {
	w, err := NewWinograd(s, m)
	if err != nil {
		return nil, err
	}
	g := &winogradGrad{wino: w, tile: pickOuter(), tiles: s.N * w.down * w.across}
	g.panels = (s.O + g.tile.width() - 1) / g.tile.width()
	g.cols = padded(g.tile.panels, s.O)
	if g.tiles == 0 {
		return g, nil
	}
	want := taskCount(s.Flops())
	g.slices = max(1, min(want, g.tiles/gradTiles, sliceGradFloats/g.sliceFloats()))
	g.panelParts = max(1, min((want+g.slices-1)/g.slices, g.panels*g.tile.width()/128))
	g.perPart = (g.panels + g.panelParts - 1) / g.panelParts
	g.panelParts = (g.panels + g.perPart - 1) / g.perPart
	perSlice := (g.tiles + g.slices - 1) / g.slices
	blocks := (perSlice + gradTiles - 1) / gradTiles
	g.most = (perSlice + blocks - 1) / blocks
	g.tapIn, g.tapOut = oddLines(g.most*w.pitch), oddLines(g.most*g.tile.width()+lineFloats)
	// The blocks of the forward plan address what load writes.
	g.wino.tapIn = g.tapIn
	return g, nil
}

// Tasks is the number of independent tasks of Run.
func (g *winogradGrad) Tasks() int { return g.slices * g.panelParts }

// ScratchFloats is how much scratch one running task of Run needs.
func (g *winogradGrad) ScratchFloats() int {
	return lineFloats + g.wino.taps()*(g.tapIn+g.tapOut+g.patch())
}

// patch is the pixel stride of a tile that is copied.
func (g *winogradGrad) patch() int { return apart(max(g.wino.pitch, g.tile.width()), 4) }

func (g *winogradGrad) sliceFloats() int { return (g.wino.taps()*g.wino.s.C + 1) * g.cols }

// PartialFloats is the memory of the sums of all slices.
func (g *winogradGrad) PartialFloats() int { return g.slices * g.sliceFloats() }

// panel is where a panel has its sums in a slice, its width and its columns.
func (g *winogradGrad) panel(i int) (at, width, o, cols int) {
	o = i * g.tile.width()
	width = narrowest(g.tile.panels, g.wino.s.O-o).width
	return o * (g.wino.taps()*g.wino.s.C + 1), width, o, min(width, g.wino.s.O-o)
}

// Run computes the products of one task.
func (g *winogradGrad) Run(task int, partial, x, dy []float32, bias bool, scratch []float32) {
	slice, part := task/g.panelParts, task%g.panelParts
	from, to := slice*g.tiles/g.slices, (slice+1)*g.tiles/g.slices
	partial = partial[slice*g.sliceFloats() : (slice+1)*g.sliceFloats()]
	line, scratch := scratch[:lineFloats], scratch[lineFloats:]
	taps := g.wino.taps()
	in, scratch := scratch[:taps*g.tapIn], scratch[taps*g.tapIn:]
	out, patch := scratch[:taps*g.tapOut], scratch[taps*g.tapOut:][:taps*g.patch()]
	load, _ := winogradLoops(g.wino.m)
	a := outerPool.Get().(*outerArgs)
	a.lines = outerLines(line, 1)
	a.lines[0] = outerLine{}
	first, last := part*g.perPart, min((part+1)*g.perPart, g.panels)
	for t := from; t < to; t += g.most {
		n := min(g.most, to-t)
		for i := range n {
			g.wino.load(load, in[i*g.wino.pitch:], x, g.wino.spot(t+i), patch[:taps*apart(g.wino.pitch, 4)])
		}
		a.add, a.px = t > from, n
		for i := first; i < last; i++ {
			g.block(a, partial, in, out, dy, patch, t, i)
		}
	}
	for i := first; i < last && bias; i++ {
		g.bias(a, partial, dy, line[2:], out, slice, i)
	}
	*a = outerArgs{}
	outerPool.Put(a)
}

// block adds the products of a block of tiles, from t on, to one panel.
func (g *winogradGrad) block(a *outerArgs, partial, in, out, dy, patch []float32, t, panel int) {
	w := g.wino
	at, width, o, cols := g.panel(panel)
	spread, _ := winogradGradLoops(w.m)
	for i := range a.px {
		g.spread(spread, out[i*width:], dy[o:], w.spot(t+i), cols, patch)
	}
	kernel, c := narrowest(g.tile.panels, width), w.s.C
	sums := partial[at : at+(w.taps()*c+1)*width]
	a.aStep, a.bStep = w.pitch, width
	for tap := range w.taps() {
		a.a, a.b, a.c = in[tap*g.tapIn:], out[tap*g.tapOut:], sums[tap*c*width:(tap+1)*c*width]
		a.rows(kernel, c)
	}
}

// spread transforms one tile of n channels of dY, by way of patch where it is cut off.
func (g *winogradGrad) spread(loop winogradInLoop, dst, dy []float32, at spot, n int, patch []float32) {
	w := g.wino
	h, wide, stride := min(w.m, w.oh-at.y), min(w.m, w.ow-at.x), w.s.DstStride
	from := ((at.n*w.oh+at.y)*w.ow + at.x) * stride
	if h == w.m && wide == w.m {
		loop(dst, dy[from:from+((h-1)*w.ow+wide-1)*stride+n], n, w.ow*stride, stride, g.tapOut)
		return
	}
	pixel := g.patch()
	clear(patch[:w.m*w.m*pixel])
	for y := range h {
		copyPixels(patch[y*w.m*pixel:], dy[from+y*w.ow*stride:], wide, n, pixel, stride)
	}
	loop(dst, patch, n, w.m*pixel, pixel, g.tapOut)
}

// bias sums the columns of one panel over the pixels of a slice, as products with one.
func (g *winogradGrad) bias(a *outerArgs, partial, dy, one, pixels []float32, slice, panel int) {
	w := g.wino
	at, width, o, cols := g.panel(panel)
	all := w.s.N * w.oh * w.ow
	one[0] = 1
	a.aStep, a.b, a.bStep = 0, pixels, width
	sums := partial[at+w.taps()*w.s.C*width:][:width]
	end, step := (slice+1)*all/g.slices, len(pixels)/width
	a.add = false
	for p := slice * all / g.slices; p < end; p += step {
		a.px = min(step, end-p)
		packPixels(pixels, dy[p*w.s.DstStride+o:], a.px, cols, width, w.s.DstStride)
		a.a, a.c = one, sums
		a.rows(narrowest(g.tile.panels, width), 1)
		a.add = true
	}
}

// SumTasks is the number of independent tasks of Sum: one for every panel.
func (g *winogradGrad) SumTasks() int {
	if g.slices == 0 {
		return 0
	}
	return g.panels
}

// SumFloats is how much scratch one running task of Sum needs.
func (g *winogradGrad) SumFloats() int {
	n := g.wino.s.C * g.tile.width()
	return g.wino.taps()*n + g.tile.width() + 2*9*(n+lineFloats)
}

// Sum adds one panel to the gradients.
func (g *winogradGrad) Sum(task int, dw, dbias, partial, scratch []float32) {
	w := g.wino
	at, width, o, cols := g.panel(task)
	n := w.s.C * width
	all := w.taps()*n + width
	sums := partial[at : at+all]
	if g.slices > 1 {
		sums = addSlices(scratch[:all], partial[at:], g.slices, g.sliceFloats())
	}
	scratch = scratch[all:]
	if dbias != nil {
		Add.Run(dbias[o:o+cols], dbias[o:o+cols], sums[all-width:all-width+cols])
	}
	_, gather := winogradGradLoops(w.m)
	tap := (n + lineFloats - 1) / lineFloats * lineFloats
	plain, turned := scratch[:9*tap], scratch[9*tap:][:9*n]
	gather(plain, sums, n, w.edge*n, n, tap)
	for t := range 9 {
		copy(plain[t*n:(t+1)*n], plain[t*tap:])
	}
	addFilters(dw[o*9*w.s.C:(o+cols)*9*w.s.C], plain[:9*n], turned, width, w.s.C, 9)
}
