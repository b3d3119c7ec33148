package kernel

// product is one rectangle of a matrix product: all pixels listed in rows
// times a range of panels.
type product struct {
	tile     *tile
	src      []float32
	rows     []int32
	blocks   [][]seg
	dst      []float32
	ldc, ldr int
	ep       Epilogue
}

// chunkRows is how many rows pass over all panels of a task before the next
// do, where the panels fit in the second cache together: source and
// destination then stay in the first.
const chunkRows = 96

// chunk is how many rows to take at a time for panels of so many elements.
func (p *product) chunk(panelFloats int) int {
	if panelFloats <= aFloats/2 {
		return chunkRows
	}
	return len(p.rows)
}

// run multiplies rows r0 ≤ r < r1 by one panel whose first column is j of the
// destination. cols counts the columns to be stored.
func (p *product) run(t *tileArgs, r0, r1 int, panel []float32, w, j, cols int) {
	k := p.tile.kernel(0, w)
	kernel, mr := k.run, k.mr
	lo, hi := p.ep.limits()
	t.src, t.n, t.ldc = p.src, cols, p.ldc
	at := 0
	for i, block := range p.blocks {
		t.segs, t.b = block, panel[at*w:]
		t.ahead = -4 * at * w
		for _, s := range block {
			at += s.n
		}
		t.ahead += 4 * at * w
		t.lo, t.hi = -inf, inf
		if i == len(p.blocks)-1 {
			t.lo, t.hi = lo, hi
		}
		if t.bias = nil; i == 0 && p.ep.Bias != nil {
			t.bias = p.ep.Bias[j : j+cols]
		}
		r := r0
		for _, c := range cut(r1-r0, mr) {
			if c.tiles > 0 {
				p.call(t, kernel, r, c.rows, c.tiles, i == 0, j, cols)
				r += c.rows * c.tiles
			}
		}
	}
}

// act ends rows r0 ≤ r < r1 of the finished columns j0 ≤ j < j1.
func (p *product) act(r0, r1, j0, j1 int) {
	actRows(p.ep.Act, p.dst[r0*p.ldc+j0:], r1-r0, j1-j0, p.ldc)
}

// stack is a number of tiles of equal height.
type stack struct{ rows, tiles int }

// cut divides m rows into full tiles, then two of nearly equal height for what
// is left: a last tile of one row would cost as much as one of many.
func cut(m, mr int) [3]stack {
	var c [3]stack
	if full := m / mr; full*mr == m || full > 1 {
		if full*mr < m {
			full--
		}
		c[0] = stack{mr, full}
		m -= full * mr
	}
	if m > mr {
		c[1] = stack{(m + 1) / 2, 1}
		m -= (m + 1) / 2
	}
	if m > 0 {
		c[2] = stack{m, 1}
	}
	return c
}

// call runs tiles of m rows from row r on. Blocks behind the first add to what
// the first left in the destination.
func (p *product) call(t *tileArgs, kernel func(int, *tileArgs), r, m, tiles int, first bool, j, cols int) {
	last := r + m*tiles - 1
	t.tiles = tiles
	t.rows = p.rows[r : last+1]
	t.c = p.dst[r*p.ldc+j : last*p.ldc+j+cols]
	switch {
	case !first:
		t.res, t.ldr = t.c, p.ldc
	case p.ep.Residual != nil:
		t.res, t.ldr = p.ep.Residual[r*p.ldr+j:last*p.ldr+j+cols], p.ldr
	default:
		t.res = nil
	}
	kernel(m, t)
}

// blockSegs cuts segments into blocks of at most limit elements.
func blockSegs(segs []seg, limit int) [][]seg {
	var blocks [][]seg
	var cur []seg
	room := limit
	for _, s := range segs {
		for s.n > 0 {
			n := min(s.n, room)
			cur = append(cur, seg{s.off, n})
			s.off, s.n, room = s.off+n, s.n-n, room-n
			if room == 0 {
				blocks, cur, room = append(blocks, cur), nil, limit
			}
		}
	}
	if len(cur) > 0 || len(blocks) == 0 {
		blocks = append(blocks, cur)
	}
	return blocks
}
