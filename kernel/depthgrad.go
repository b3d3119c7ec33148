package kernel

// depthGrad is the weight gradient of a depthwise convolution, summed with vectors along
// the channels. Pixels that see the same taps are taken together, so that nothing is
// copied. The sums of a slice are taps by channels, and those of the bias.
type depthGrad struct {
	s        ConvShape
	oh, ow   int
	ys, xs   []span
	slices   int
	bandRows int
}

func newDepthGrad(s ConvShape) *depthGrad {
	g := &depthGrad{s: s, oh: s.OH(), ow: s.OW()}
	rows := s.N * g.oh
	if rows*g.ow == 0 {
		return g
	}
	g.ys = spans(g.oh, s.H, s.KH, s.StrideH, s.DilH, s.PadT, s.PadB)
	g.xs = spans(g.ow, s.W, s.KW, s.StrideW, s.DilW, s.PadL, s.PadR)
	g.slices = max(1, min(taskCount(8*s.Flops()), rows, rows*g.ow/slicePixels))
	g.bandRows = (rows + g.slices - 1) / g.slices
	pixels := g.ow * (s.DstStride + s.StrideH*s.StrideW*s.SrcStride)
	for g.bandRows > 1 && g.bandRows*pixels > aFloats && g.bandRows*g.ow > slicePixels/2 {
		g.bandRows = (g.bandRows + 1) / 2
	}
	return g
}

// Tasks is the number of independent tasks of Run.
func (g *depthGrad) Tasks() int { return g.slices }

// ScratchFloats is how much scratch one running task of Run needs.
func (g *depthGrad) ScratchFloats() int { return 2*g.bandRows + g.s.C }

func (g *depthGrad) sliceFloats() int { return (g.s.KH*g.s.KW + 1) * g.s.C }

// PartialFloats is the memory of the sums of all slices.
func (g *depthGrad) PartialFloats() int { return g.slices * g.sliceFloats() }

// Run computes the products of one slice.
func (g *depthGrad) Run(slice int, partial, x, dy []float32, bias bool, scratch []float32) {
	rows := g.s.N * g.oh
	from, to := slice*rows/g.slices, (slice+1)*rows/g.slices
	partial = partial[slice*g.sliceFloats() : (slice+1)*g.sliceFloats()]
	clear(partial)
	a := depthGradPool.Get().(*depthGradArgs)
	a.add, a.n, a.tapRow, a.tapCol = true, g.s.C, g.s.KW*g.s.C, g.s.C
	a.xRow, a.xCol = g.s.DilH*g.s.W*g.s.SrcStride, g.s.DilW*g.s.SrcStride
	for r := from; r < to; r += g.bandRows {
		end := min(r+g.bandRows, to)
		for _, y := range g.ys {
			g.span(a, partial, x, dy, y, r, end, scratch)
		}
		if bias {
			g.bias(a, partial[g.s.KH*g.s.KW*g.s.C:], dy, r, end, scratch)
		}
	}
	*a = depthGradArgs{}
	depthGradPool.Put(a)
}

// span adds the products of those output rows r0 ≤ r < r1 that belong to a span, which
// come in a piece from every image.
func (g *depthGrad) span(a *depthGradArgs, sums, x, dy []float32, y span, r0, r1 int, scratch []float32) {
	lines := outerLines(scratch, g.bandRows)
	count, base := 0, -1
	for n := r0 / g.oh; n*g.oh < r1; n++ {
		from, to := max(r0, n*g.oh+y.at), min(r1, n*g.oh+y.at+y.n)
		if from >= to || y.k0 == y.k1 {
			continue
		}
		for _, col := range g.xs {
			if col.n == 1 {
				g.column(a, sums, x, dy, y, col, from, to, lines)
			}
		}
		if base < 0 {
			base = from
		}
		for r := from; r < to; r++ {
			lines[count] = outerLine{int32((g.sourceRow(r, y) - g.sourceRow(base, y)) * g.s.W * g.s.SrcStride), int32((r - base) * g.ow * g.s.DstStride)}
			count++
		}
	}
	for _, col := range g.xs {
		if col.n > 1 && count > 0 {
			a.lines, a.px = lines[:count], col.n
			a.xStep, a.dyStep = g.s.StrideW*g.s.SrcStride, g.s.DstStride
			g.taps(a, sums, x, dy, y, col, base)
		}
	}
}

// column adds a single column of pixels, one below the other, of one image. The lines
// behind those in use are free.
func (g *depthGrad) column(a *depthGradArgs, sums, x, dy []float32, y, col span, from, to int, lines []outerLine) {
	a.lines, a.px = lines[len(lines)-1:], to-from
	keep := a.lines[0]
	a.lines[0] = outerLine{}
	a.xStep, a.dyStep = g.s.StrideH*g.s.W*g.s.SrcStride, g.ow*g.s.DstStride
	g.taps(a, sums, x, dy, y, col, from)
	lines[len(lines)-1] = keep
}

// taps adds the products of pixels that see taps y.k0 to y.k1 by x.k0 to x.k1, the first
// of them in output row r.
func (g *depthGrad) taps(a *depthGradArgs, sums, x, dy []float32, y, col span, r int) {
	s := &g.s
	left := col.at*s.StrideW - s.PadL
	a.dy = dy[(r*g.ow+col.at)*s.DstStride:]
	eachTapBlock(y.k1-y.k0, col.k1-col.k0, func(b tapBlock) {
		ky, kx := y.k0+b.y, col.k0+b.x
		at := (g.sourceRow(r, y)+(ky-y.k0)*s.DilH)*s.W + left + kx*s.DilW
		a.x, a.c = x[at*s.SrcStride:], sums[(ky*s.KW+kx)*s.C:]
		pick(depthGradLoops)(b.rows, b.cols, a)
	})
}

// sourceRow is the source row, over all images, of the first tap that output row r of a
// span sees.
func (g *depthGrad) sourceRow(r int, y span) int {
	return r/g.oh*g.s.H + r%g.oh*g.s.StrideH - g.s.PadT + y.k0*g.s.DilH
}

// bias sums output rows r0 ≤ r < r1, as products with ones.
func (g *depthGrad) bias(a *depthGradArgs, sums, dy []float32, r0, r1 int, scratch []float32) {
	lines, ones := outerLines(scratch, 1), scratch[2*g.bandRows:][:g.s.C]
	lines[0] = outerLine{}
	fill(ones, 1)
	a.lines, a.px, a.xStep, a.dyStep = lines, (r1-r0)*g.ow, 0, g.s.DstStride
	a.x, a.dy, a.c = ones, dy[r0*g.ow*g.s.DstStride:], sums
	pick(depthGradLoops)(1, 1, a)
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
