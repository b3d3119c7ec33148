package kernel

import (
	"math/bits"
	"unsafe"
)

// stackPlan is where a task keeps the stacked rows.
type stackPlan struct {
	chunk      int // rows of the destination at a time
	lds, ldd   int // numbers of a row: of a block's sums, of what a panel adds
	src, total int // numbers in scratch: of sums, of everything
	zeros      []float32
}

// planStack makes room for the stacked rows and lets tasks take whole blocks.
func (c *IntConv) planStack() {
	s := c.w.stack
	if s == nil || c.bandPixels == 0 {
		return
	}
	c.stackOrder = s.w.orders(c.segs)
	if unit := min(s.per, c.panels); c.panelTasks > 1 {
		all := c.panels * c.s.Groups
		c.panelsPerTask = (c.panelsPerTask + unit - 1) / unit * unit
		c.panelTasks = (all + c.panelsPerTask - 1) / c.panelsPerTask
	}
	p := &c.stack
	p.chunk = min(chunkRows, c.bandPixels)
	p.lds, p.ldd = apart(s.width, 4), (c.nr+expandLanes-1)/expandLanes*expandLanes
	// What reads a row may read on for as much as a panel is wide.
	p.src = p.chunk*p.lds + p.ldd
	p.total = p.src + p.chunk*p.ldd
	p.zeros = make([]float32, s.width)
	c.scratchBytes += 4 * p.total
}

// stackedRange is panelRange for weights with a stack: block by block, it turns
// the sums of the stacked rows into floats, which the panels then add.
func (c *IntConv) stackedRange(p *intProduct, src []uint8, first, last int, scratch []float32) {
	t := intTilePool.Get().(*intArgs)
	s := c.w.stack
	for r := 0; r < len(p.rows); r += c.stack.chunk {
		end := min(r+c.stack.chunk, len(p.rows))
		block := -1
		for i := first; i < last; i++ {
			if b := c.blockOf(i); b != block {
				block = b
				c.sumBlock(t, p, src, i, s.blocks[b], r, end, scratch)
			}
			c.spread(p, i, r, end, scratch)
			c.onePanel(t, p, src, i, r, end)
		}
	}
	*t = intArgs{}
	intTilePool.Put(t)
}

// blockOf is the block of panel i.
func (c *IntConv) blockOf(i int) int {
	per := c.w.stack.per
	return i/c.panels*((c.panels+per-1)/per) + i%c.panels/per
}

// columns is how many columns of panel i exist.
func (c *IntConv) columns(i int) int {
	return min(c.nr, c.s.O/c.s.Groups-i%c.panels*c.nr)
}

// source is where panel i reads.
func (c *IntConv) source(src []uint8, i int) []uint8 {
	if c.w.tile.form == formChannels {
		return src[i%c.panels*c.nr:]
	}
	return src[i/c.panels*(c.s.C/c.s.Groups):]
}

// onePanel multiplies rows r ≤ i < end by panel i.
func (c *IntConv) onePanel(t *intArgs, p *intProduct, src []uint8, i, r, end int) {
	p.src = c.source(src, i)
	if p.added != nil && p.extra == nil {
		p.extra, p.extraRow, p.lde = p.added[c.column(i):], 0, c.s.O
	}
	run := p.run
	if p.ep.Steps != nil && p.store == storeCodes && !p.looks() {
		run = p.stepped
	}
	if c.order != nil {
		p.order = c.order[i]
	}
	run(t, r, end, &c.w.panels[i], c.column(i), c.columns(i))
	p.extra = nil
}

// column is the first column of panel i.
func (c *IntConv) column(i int) int {
	return i/c.panels*(c.s.O/c.s.Groups) + i%c.panels*c.nr
}

// sumBlock computes the stacked rows of the block that panel i belongs to.
func (c *IntConv) sumBlock(t *intArgs, p *intProduct, src []uint8, i int, b stackBlock, r, end int, scratch []float32) {
	s := c.w.stack
	x := intProductPool.Get().(*intProduct)
	ep := intEpiloguePool.Get().(*IntEpilogue)
	defer func() { x.release(); *ep = IntEpilogue{}; intEpiloguePool.Put(ep) }()
	*ep = IntEpilogue{Mul: p.ep.Stack[b.first*c.nr:], Add: c.stack.zeros}
	*x = intProduct{tile: s.w.tile, rows: p.rows[r:end], segs: c.segs, store: storeFloat,
		src: c.source(src, i), dst: rawBytes(scratch[:c.stack.src]), ldc: c.stack.lds,
		ep: ep}
	for q := b.first; q < b.last; q++ {
		j := (q - b.first) * c.nr
		if c.stackOrder != nil {
			x.order = c.stackOrder[q]
		}
		x.run(t, 0, end-r, &s.w.panels[q], j, min(c.nr, s.w.panels[q].width))
	}
}

// spread says what panel i adds to rows r ≤ row < end: sums of a block themselves
// where one order has all columns.
func (c *IntConv) spread(p *intProduct, i, r, end int, scratch []float32) {
	terms, n, plan := c.w.stack.terms[i], c.columns(i), &c.stack
	if len(terms) == 0 {
		return
	}
	p.extraRow = r
	if len(terms) == 1 && p.added == nil && bits.OnesCount32(terms[0].mask) == n {
		p.extra, p.lde = scratch[terms[0].at:plan.src], plan.lds
		return
	}
	p.extra, p.lde = scratch[plan.src:plan.total], plan.ldd
	if p.added != nil {
		for row := r; row < end; row++ {
			copy(p.extra[(row-r)*plan.ldd:][:n], p.added[row*c.s.O+c.column(i):])
		}
	}
	a := expandPool.Get().(*expandArgs)
	*a = expandArgs{ldd: plan.ldd, lds: plan.lds, rows: end - r}
	run := pick(expandLoops)
	for k, term := range terms {
		at := term.at
		for j := 0; j < plan.ldd; j += expandLanes {
			a.dst, a.src, a.mask = p.extra[j:], scratch[at:plan.src], term.mask>>j&(1<<expandLanes-1)
			a.add = k > 0 || p.added != nil
			run(a)
			at += bits.OnesCount32(a.mask)
		}
	}
	*a = expandArgs{}
	expandPool.Put(a)
}

// floatView sees bytes, aligned to 4, as float32.
func floatView(x []uint8) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/4)
}
