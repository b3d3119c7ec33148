package kernel

// phaseConv is the gradient by classes of pixels. A task computes, for a range of
// panels, source rows in units of one row of every class; it copies the rows of dY
// that these see, with zeros around them, where they reach outside.
type phaseConv struct {
	s            ConvShape
	tile         *tile
	ys, xs       []phase
	blocks       [][][]seg // by class of rows, then of columns
	top, left    int       // of what units see of dY
	tall         int       // rows of dY that one unit sees
	wp, pixel    int
	direct       bool
	units        int // of an image
	piece        int // most units that are copied at a time
	bands        int
	panels       int // of one group
	perTask      int
	panelTasks   int
	scratchCount int
}

func newPhaseConv(s ConvShape) (*phaseConv, error) {
	c := &phaseConv{s: s, tile: pickTile()}
	var stepY, stepX int
	c.ys, stepY = phases(s.H, s.KH, s.StrideH, s.DilH, s.PadT)
	c.xs, stepX = phases(s.W, s.KW, s.StrideW, s.DilW, s.PadL)
	c.units = (s.H + s.StrideH - 1) / s.StrideH
	c.source(stepY, stepX)
	for _, y := range c.ys {
		for _, x := range c.xs {
			c.blocks = append(c.blocks, blockSegs(c.segments(y, x, stepY, stepX), c.tile.kBlock))
		}
	}
	c.split()
	return c, nil
}

// source decides how dY is read.
func (c *phaseConv) source(stepY, stepX int) {
	s := &c.s
	lowY, highY := reachOf(c.ys, stepY)
	lowX, highX := reachOf(c.xs, stepX)
	wide := (s.W+s.StrideW-1)/s.StrideW + highX - lowX
	c.top, c.left, c.tall = lowY, lowX, max(0, highY-lowY+1)
	c.wp, c.pixel = max(0, wide), apart(s.O, 4)
	if lowY >= 0 && lowX >= 0 && c.units+highY <= s.OH() && wide+lowX <= s.OW() {
		c.direct, c.wp, c.pixel = true, s.OW(), s.DstStride
	}
}

// segments lists the runs of elements that pixels of a class read.
func (c *phaseConv) segments(y, x phase, stepY, stepX int) (segs []seg) {
	og := c.s.O / c.s.Groups
	for i := range y.taps {
		for j := range x.taps {
			at := (i*stepY*c.wp + j*stepX) * c.pixel
			if n := len(segs); j > 0 && stepX == 1 && c.pixel == og {
				segs[n-1].n += og
				continue
			}
			segs = append(segs, seg{at, og})
		}
	}
	return segs
}

// split chooses the tasks.
func (c *phaseConv) split() {
	s := &c.s
	c.panels = (s.C/s.Groups + c.tile.nr - 1) / c.tile.nr
	all, total := c.panels*s.Groups, s.N*c.units
	if total*s.W == 0 {
		return
	}
	want := taskCount(s.Flops())
	c.bands = min(want, (total+3)/4)
	c.panelTasks = min(all, (want+c.bands-1)/c.bands)
	if !c.direct {
		c.panelTasks = min(c.panelTasks, max(1, all*c.tile.nr/128))
	}
	c.perTask = (all + c.panelTasks - 1) / c.panelTasks
	c.panelTasks = (all + c.perTask - 1) / c.perTask
	row := c.wp * c.pixel
	c.piece = min((total+c.bands-1)/c.bands, c.units, max(2, aFloats/2/max(1, row)-c.tall))
	c.scratchCount = (s.W + s.StrideW - 1) / s.StrideW
	if !c.direct {
		c.scratchCount += (c.piece + c.tall) * row
	}
}

// Tasks is the number of independent tasks.
func (c *phaseConv) Tasks() int { return c.bands * c.panelTasks }

// ScratchFloats is how much scratch one running task needs.
func (c *phaseConv) ScratchFloats() int { return c.scratchCount }

func (c *phaseConv) newWeights(w *InputGradWeights) {
	for _, y := range c.ys {
		for _, x := range c.xs {
			var taps []int
			for _, ky := range y.taps {
				for _, kx := range x.taps {
					taps = append(taps, ky*c.s.KW+kx)
				}
			}
			w.newPhase(taps)
		}
	}
}

func (c *phaseConv) run(task int, dx, dy []float32, w *InputGradWeights, add bool, scratch []float32) {
	total, band := c.s.N*c.units, task/c.panelTasks
	from, to := band*total/c.bands, (band+1)*total/c.bands
	first := task % c.panelTasks * c.perTask
	last := min(first+c.perTask, c.panels*c.s.Groups)
	rows := int32s(scratch, c.xs[0].n)
	for x := range rows {
		rows[x] = int32(x * c.pixel)
	}
	scratch = scratch[len(rows):]
	t := tilePool.Get().(*tileArgs)
	for u := from; u < to; {
		n, i := u/c.units, u%c.units
		count := min(to-u, c.units-i, c.piece)
		src := c.reach(dy, scratch, n, i, count)
		for panel := first; panel < last; panel++ {
			c.unitPanel(t, dx, src, rows, w, add, n, i, count, panel)
		}
		u += count
	}
	*t = tileArgs{}
	tilePool.Put(t)
}

// reach returns what units i to i+count of image n see of dY.
func (c *phaseConv) reach(dy, scratch []float32, n, i, count int) []float32 {
	s, oh, ow := &c.s, c.s.OH(), c.s.OW()
	top := i + c.top
	if c.direct {
		return dy[(n*oh+top)*ow*s.DstStride:]
	}
	line := c.wp * c.pixel
	x0, x1 := max(0, c.left), min(ow, c.left+c.wp)
	for y := range count - 1 + c.tall {
		d := scratch[y*line : (y+1)*line]
		if top+y < 0 || top+y >= oh || x0 >= x1 {
			clear(d)
			continue
		}
		clear(d[:(x0-c.left)*c.pixel])
		clear(d[(x1-c.left)*c.pixel:])
		copyPixels(d[(x0-c.left)*c.pixel:], dy[((n*oh+top+y)*ow+x0)*s.DstStride:], x1-x0, s.O, c.pixel, s.DstStride)
	}
	return scratch
}

// unitPanel computes one panel of units i to i+count of image n.
func (c *phaseConv) unitPanel(t *tileArgs, dx, src []float32, rows []int32, w *InputGradWeights, add bool, n, i, count, panel int) {
	s := &c.s
	cg, og := s.C/s.Groups, s.O/s.Groups
	g, j := panel/c.panels, panel%c.panels
	step := s.StrideW * s.SrcStride
	p := product{tile: c.tile, ldc: step, ldr: step}
	for iy, y := range c.ys {
		for ix, x := range c.xs {
			class := iy*len(c.xs) + ix
			if x.n == 0 || add && len(w.phases[class].taps) == 0 {
				continue
			}
			data, width := w.phases[class].group[g].panel(j)
			p.blocks, p.rows = c.blocks[class], rows[:x.n]
			for u := i; u < min(i+count, y.n); u++ {
				p.dst = dx[((n*s.H+u*s.StrideH+iy)*s.W+ix)*s.SrcStride:]
				p.ep = sumInto(p.dst, add)
				p.src = src[c.from(y, x, u-i, g*og):]
				p.run(t, 0, x.n, data, width, g*cg+j*c.tile.nr, min(width, cg-j*c.tile.nr))
			}
		}
	}
}

// from is where the first pixel of a class in unit u finds its first tap.
func (c *phaseConv) from(y, x phase, u, channel int) int {
	if len(y.taps) == 0 || len(x.taps) == 0 {
		return 0
	}
	at := (u+y.first-c.top)*c.wp + x.first - c.left
	if c.direct {
		at += c.left
	}
	return at*c.pixel + channel
}
