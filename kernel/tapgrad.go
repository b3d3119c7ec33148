package kernel

// tapGrad is the weight gradient of a convolution that is not depthwise: for every
// panel of output channels the matrix [KH·KW·C/Groups, width], summed in tiles over
// the pixels of a band.
type tapGrad struct {
	bandPlan
	tile       *outerTile
	runs       []rowRun
	k          int // rows of the matrix of a group
	cols       int // of all panels of a group
	slices     int
	sliceRows  int // most output rows of a slice
	perPanels  int
	panelParts int
	oneLine    bool // the pixels of a band follow each other in both operands
}

// rowRun is a run of rows of the matrix, from row k on, that lie side by side in the
// source of a pixel, from offset at on.
type rowRun struct{ at, k, n int }

func newTapGrad(s ConvShape) *tapGrad {
	t := pickOuter()
	g := &tapGrad{bandPlan: newBandPlan(s, 4, t.width()), tile: t}
	g.k, g.cols = s.KH*s.KW*s.C/s.Groups, padded(t.panels, s.O/s.Groups)
	switch {
	case s.padded():
		g.access, g.pixel = banded, apart(s.C, 4)
	case s.KH*s.KW == 1 && aliases(s.SrcStride*s.StrideW, 4):
		g.access, g.pixel = gathered, apart(s.C, 4)
	}
	g.oneLine = g.access == gathered || s.KH*s.KW == 1 && s.StrideH*s.StrideW == 1 && !s.padded()
	g.rowRuns()
	g.split()
	return g
}

// rowRuns lists the runs of rows that one pixel holds.
func (g *tapGrad) rowRuns() {
	s, cg := &g.s, g.s.C/g.s.Groups
	if g.access == gathered {
		g.runs = []rowRun{{0, 0, cg}}
		return
	}
	for y := range s.KH {
		for x := range s.KW {
			at := (y*s.DilH*g.wp + x*s.DilW) * g.pixel
			if n := len(g.runs); x > 0 && s.DilW == 1 && g.pixel == cg {
				g.runs[n-1].n += cg
				continue
			}
			g.runs = append(g.runs, rowRun{at, (y*s.KW + x) * cg, cg})
		}
	}
}

// partialFloats is the most memory that the sums of all slices should take, and
// slicePixels how many pixels are worth a slice.
const (
	partialFloats = 1 << 20
	slicePixels   = 192
)

// split chooses slices and tasks, and bands of rows that stay in the second cache.
func (g *tapGrad) split() {
	s := &g.s
	rows := s.N * g.oh
	if rows*g.ow == 0 {
		return
	}
	want := taskCount(s.Flops())
	g.slices = max(1, min(want, rows, rows*g.ow/slicePixels, partialFloats/(g.k*g.cols*s.Groups)))
	g.sliceRows = (rows + g.slices - 1) / g.slices
	all := g.panels * s.Groups
	g.panelParts = min(all, (want+g.slices-1)/g.slices)
	g.perPanels = (all + g.panelParts - 1) / g.panelParts
	g.panelParts = (all + g.perPanels - 1) / g.perPanels
	g.bandRows = g.sliceRows
	for g.bandRows > 1 && (g.bandElements() > aFloats/2 || g.bandRows*g.ow*g.nr > aFloats/2) && g.bandRows*g.ow > 2*slicePixels {
		g.bandRows = (g.bandRows + 1) / 2
	}
	g.bandPixels = g.bandRows * g.ow
}

// Tasks is the number of independent tasks of Run.
func (g *tapGrad) Tasks() int { return g.slices * g.panelParts }

// lineFloats is how many floats hold the lines of a band.
func (g *tapGrad) lineFloats() int { return 2 * g.bandRows }

// ScratchFloats is how much scratch one running task of Run needs.
func (g *tapGrad) ScratchFloats() int {
	n := lineFloats + g.lineFloats() + g.bandPixels*g.nr
	if g.access != direct {
		n += g.bandElements()
	}
	return n
}

// sliceFloats is the memory of the sums of one slice: all panels, then their columns of
// the bias.
func (g *tapGrad) sliceFloats() int { return (g.k + 1) * g.cols * g.s.Groups }

// PartialFloats is the memory of the sums of all slices.
func (g *tapGrad) PartialFloats() int { return g.slices * g.sliceFloats() }

// panel is where panel i of all groups has its sums in a slice, its width and its first
// output channel; the row behind the last is the bias.
func (g *tapGrad) panel(i int) (at, width, o, cols int) {
	og := g.s.O / g.s.Groups
	group, j := i/g.panels, i%g.panels*g.nr
	width = narrowest(g.tile.panels, og-j).width
	return (group*g.cols + j) * (g.k + 1), width, group*og + j, min(width, og-j)
}

// Run computes the products of one task.
func (g *tapGrad) Run(task int, partial, x, dy []float32, bias bool, scratch []float32) {
	slice, part := task/g.panelParts, task%g.panelParts
	rows := g.s.N * g.oh
	from, to := slice*rows/g.slices, (slice+1)*rows/g.slices
	partial = partial[slice*g.sliceFloats() : (slice+1)*g.sliceFloats()]
	first := part * g.perPanels
	a := outerPool.Get().(*outerArgs)
	for r := from; r < to; r += g.bandRows {
		end := min(r+g.bandRows, to)
		a.add = r > from
		g.band(a, partial, x, dy, r, end, first, min(first+g.perPanels, g.panels*g.s.Groups), bias, scratch)
	}
	*a = outerArgs{}
	outerPool.Put(a)
}

// fewPasses is up to how many rows of the matrix columns of dY are read where they lie:
// more pass over them so often that it pays to lay them side by side.
const fewPasses = 96

// band adds the products of output rows r0 ≤ r < r1 to panels first to last.
func (g *tapGrad) band(a *outerArgs, partial, x, dy []float32, r0, r1, first, last int, bias bool, scratch []float32) {
	s := &g.s
	one, scratch := scratch[:lineFloats], scratch[lineFloats:]
	one[0] = 1
	lines, scratch := outerLines(scratch[:g.lineFloats()], r1-r0), scratch[g.lineFloats():]
	pixels, scratch := scratch[:g.bandPixels*g.nr], scratch[g.bandPixels*g.nr:]
	src := g.reachRows(x, scratch, r0, r1)
	for i := first; i < last; i++ {
		at, width, o, cols := g.panel(i)
		a.b, a.bStep = dy[r0*g.ow*s.DstStride+o:], s.DstStride
		if cols < width || g.k > fewPasses {
			packPixels(pixels, a.b, (r1-r0)*g.ow, cols, width, s.DstStride)
			a.b, a.bStep = pixels, width
		}
		a.lines, a.px, a.aStep = g.lines(lines, r0, r1, a.bStep), g.linePixels(r1-r0), g.pixelStep()
		sums := partial[at : at+(g.k+1)*width]
		g.tiles(a, sums, src[o/(s.O/s.Groups)*(s.C/s.Groups):], width)
		if bias {
			for l := range a.lines {
				a.lines[l].a = 0
			}
			a.a, a.aStep, a.c = one, 0, sums[g.k*width:]
			a.rows(narrowest(g.tile.panels, width), 1)
		}
	}
}

// tiles computes all rows of one panel.
func (g *tapGrad) tiles(a *outerArgs, sums, src []float32, width int) {
	kernel := narrowest(g.tile.panels, width)
	for _, run := range g.runs {
		a.a, a.c = src[run.at:], sums[run.k*width:(run.k+run.n)*width]
		a.rows(kernel, run.n)
	}
}

// pixelStep is how far neighbouring pixels lie apart in what tiles read.
func (g *tapGrad) pixelStep() int {
	if g.access == gathered {
		return g.pixel
	}
	return g.s.StrideW * g.pixel
}

// linePixels is how many pixels a line of a band of rows has.
func (g *tapGrad) linePixels(rows int) int {
	if g.oneLine {
		return rows * g.ow
	}
	return g.ow
}

// lines fills in where output rows r0 ≤ r < r1 start, with step elements from one pixel
// of dY to the next.
func (g *tapGrad) lines(lines []outerLine, r0, r1, step int) []outerLine {
	if g.oneLine {
		lines[0] = outerLine{}
		return lines[:1]
	}
	top := g.sourceRow(r0)
	for i := range lines {
		lines[i] = outerLine{int32((g.sourceRow(r0+i) - top) * g.wp * g.pixel), int32(i * g.ow * step)}
	}
	return lines
}

// reachRows returns what output rows r0 ≤ r < r1 read of the source.
func (g *tapGrad) reachRows(x, scratch []float32, r0, r1 int) []float32 {
	s := &g.s
	switch top := g.sourceRow(r0); g.access {
	case direct:
		return x[top*g.wp*g.pixel:]
	case gathered:
		if s.StrideH*s.StrideW == 1 {
			copyPixels(scratch, x[top*s.W*s.SrcStride:], (r1-r0)*g.ow, s.C, g.pixel, s.SrcStride)
			break
		}
		for r := r0; r < r1; r++ {
			copyPixels(scratch[(r-r0)*g.ow*g.pixel:], x[g.sourceRow(r)*s.W*s.SrcStride:], g.ow, s.C, g.pixel, s.StrideW*s.SrcStride)
		}
	default:
		copyBand(&g.bandPlan, scratch, x, top, g.sourceRow(r1-1)+(s.KH-1)*s.DilH+1, 0)
	}
	return scratch
}

// packPixels copies n columns of pixels as lines of width, zero behind them.
func packPixels(dst, src []float32, pixels, n, width, stride int) {
	if n < width {
		clear(dst[:pixels*width])
	}
	copyPixels(dst, src, pixels, n, width, stride)
}

// SumTasks is the number of independent tasks of Sum: one for every panel.
func (g *tapGrad) SumTasks() int {
	if g.slices == 0 {
		return 0
	}
	return g.panels * g.s.Groups
}

// SumFloats is how much scratch one running task of Sum needs.
func (g *tapGrad) SumFloats() int { return 2*g.k*g.nr + g.nr }

// Sum adds one panel to the gradients.
func (g *tapGrad) Sum(task int, dw, dbias, partial, scratch []float32) {
	at, width, o, cols := g.panel(task)
	n := g.k * width
	sums := addSlices(scratch[:n+width], partial[at:], g.slices, g.sliceFloats())
	if dbias != nil {
		Add.Run(dbias[o:o+cols], dbias[o:o+cols], sums[n:n+cols])
	}
	addFilters(dw[o*g.k:(o+cols)*g.k], sums[:n], scratch[n+width:][:n], width, g.s.C/g.s.Groups, g.s.KH*g.s.KW)
}

// addSlices writes the sums of slices, step elements apart, in order.
func addSlices(dst, slices []float32, count, step int) []float32 {
	copy(dst, slices)
	for i := 1; i < count; i++ {
		Add.Run(dst, dst, slices[i*step:][:len(dst)])
	}
	return dst
}

// addFilters adds lines of width columns, in the order of tap and channel, to filters in
// OIHW order. It spoils the lines; turned is memory of the same size.
func addFilters(filters, lines, turned []float32, width, c, taps int) {
	k := taps * c
	Transpose(turned, lines, k, width)
	if taps > 1 {
		for o := range len(filters) / k {
			Transpose(lines[o*k:(o+1)*k], turned[o*k:(o+1)*k], taps, c)
		}
		turned = lines
	}
	Add.Run(filters, filters, turned[:len(filters)])
}
