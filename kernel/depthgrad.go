package kernel

// depthGrad is the weight gradient of a depthwise convolution, summed with vectors along
// the channels. The sums of a slice are taps by channels, and those of the bias.
type depthGrad struct {
	bandPlan
	blocks []tapBlock
	slices int
}

func newDepthGrad(s ConvShape) *depthGrad {
	g := &depthGrad{bandPlan: newBandPlan(s, 4, 1), blocks: tapBlocks(s.KH, s.KW)}
	if s.padded() {
		g.access, g.pixel = banded, apart(s.C, 4)
	}
	rows := s.N * g.oh
	if rows*g.ow == 0 {
		return g
	}
	g.slices = max(1, min(taskCount(8*s.Flops()), rows, rows*g.ow/slicePixels))
	g.bandRows = (rows + g.slices - 1) / g.slices
	for g.bandRows > 1 && g.bandElements()+g.bandRows*g.ow*s.C > aFloats && g.bandRows*g.ow > slicePixels/2 {
		g.bandRows = (g.bandRows + 1) / 2
	}
	return g
}

// Tasks is the number of independent tasks of Run.
func (g *depthGrad) Tasks() int { return g.slices }

// ScratchFloats is how much scratch one running task of Run needs.
func (g *depthGrad) ScratchFloats() int {
	n := 2*g.bandRows + g.s.C
	if g.access != direct {
		n += g.bandElements()
	}
	return n
}

func (g *depthGrad) sliceFloats() int { return (g.s.KH*g.s.KW + 1) * g.s.C }

// PartialFloats is the memory of the sums of all slices.
func (g *depthGrad) PartialFloats() int { return g.slices * g.sliceFloats() }

// Run computes the products of one slice.
func (g *depthGrad) Run(slice int, partial, x, dy []float32, bias bool, scratch []float32) {
	rows := g.s.N * g.oh
	from, to := slice*rows/g.slices, (slice+1)*rows/g.slices
	partial = partial[slice*g.sliceFloats() : (slice+1)*g.sliceFloats()]
	a := depthGradPool.Get().(*depthGradArgs)
	for r := from; r < to; r += g.bandRows {
		a.add = r > from
		g.band(a, partial, x, dy, r, min(r+g.bandRows, to), bias, scratch)
	}
	*a = depthGradArgs{}
	depthGradPool.Put(a)
}

// band adds the products of output rows r0 ≤ r < r1.
func (g *depthGrad) band(a *depthGradArgs, sums, x, dy []float32, r0, r1 int, bias bool, scratch []float32) {
	s, loop := &g.s, pick(depthGradLoops)
	ones, scratch := scratch[:s.C], scratch[s.C:]
	a.lines, scratch = outerLines(scratch, r1-r0), scratch[2*g.bandRows:]
	top := g.sourceRow(r0)
	for i := range a.lines {
		a.lines[i] = outerLine{int32((g.sourceRow(r0+i) - top) * g.wp * g.pixel), int32(i * g.ow * s.DstStride)}
	}
	src := x
	if g.access == direct {
		src = x[top*g.wp*g.pixel:]
	} else {
		copyBand(&g.bandPlan, scratch, x, top, g.sourceRow(r1-1)+(s.KH-1)*s.DilH+1, 0)
		src = scratch
	}
	a.dy, a.px, a.n = dy[r0*g.ow*s.DstStride:], g.ow, s.C
	a.xStep, a.dyStep = s.StrideW*g.pixel, s.DstStride
	a.xRow, a.xCol, a.tapRow, a.tapCol = s.DilH*g.wp*g.pixel, s.DilW*g.pixel, s.KW*s.C, s.C
	for _, b := range g.blocks {
		a.x, a.c = src[b.y*a.xRow+b.x*a.xCol:], sums[b.y*a.tapRow+b.x*a.tapCol:]
		loop(b.rows, b.cols, a)
	}
	if bias {
		fill(ones, 1)
		for i := range a.lines {
			a.lines[i].a = 0
		}
		a.x, a.xStep, a.c = ones, 0, sums[s.KH*s.KW*s.C:]
		loop(1, 1, a)
	}
}

// SumTasks is the number of tasks of Sum.
func (g *depthGrad) SumTasks() int { return min(1, g.slices) }

// SumFloats is how much scratch Sum needs.
func (g *depthGrad) SumFloats() int { return 2 * g.sliceFloats() }

// Sum adds all slices to the gradients.
func (g *depthGrad) Sum(_ int, dw, dbias, partial, scratch []float32) {
	n, c := g.sliceFloats(), g.s.C
	sums, turned := scratch[:n], scratch[n:2*n-c]
	copy(sums, partial)
	for slice := 1; slice < g.slices; slice++ {
		Add.Run(sums, sums, partial[slice*n:(slice+1)*n])
	}
	if dbias != nil {
		Add.Run(dbias[:c], dbias[:c], sums[n-c:])
	}
	Transpose(turned, sums[:n-c], g.s.KH*g.s.KW, c)
	Add.Run(dw[:n-c], dw[:n-c], turned)
}
