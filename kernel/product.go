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
	ep       *Epilogue
}

// run multiplies by one panel whose first column is j of the destination.
// cols counts the columns to be stored.
func (p *product) run(t *tileArgs, panel []float32, w, j, cols int) {
	kernel, mr := p.tile.wide, p.tile.mr
	if w < p.tile.nr {
		kernel, mr = p.tile.narrow, p.tile.mrNarrow
	}
	lo, hi := p.ep.limits()
	// Tiles of nearly equal height: a last tile of one row would cost as much
	// as one of many.
	m := len(p.rows)
	count := (m + mr - 1) / mr
	t.src, t.n, t.ldc = p.src, cols, p.ldc
	at := 0
	for i, block := range p.blocks {
		t.segs, t.b = block, panel[at*w:]
		for _, s := range block {
			at += s.n
		}
		t.lo, t.hi = -inf, inf
		if i == len(p.blocks)-1 {
			t.lo, t.hi = lo, hi
		}
		first := i == 0
		if t.bias = nil; first && p.ep.Bias != nil {
			t.bias = p.ep.Bias[j : j+cols]
		}
		for c := range count {
			r0, r1 := m*c/count, m*(c+1)/count
			t.rows = p.rows[r0:r1]
			t.c = p.dst[r0*p.ldc+j : (r1-1)*p.ldc+j+cols]
			switch {
			case !first:
				t.res, t.ldr = t.c, p.ldc
			case p.ep.Residual != nil:
				t.res, t.ldr = p.ep.Residual[r0*p.ldr+j:(r1-1)*p.ldr+j+cols], p.ldr
			default:
				t.res = nil
			}
			kernel(r1-r0, t)
		}
	}
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
