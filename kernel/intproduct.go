package kernel

import (
	"math"
	"unsafe"
)

// intProduct is product for integers.
type intProduct struct {
	tile  *intTile
	src   []uint8
	rows  []int32
	segs  []seg
	dst   []uint8
	store intStore
	// ldc and ldr are elements from one row to the next.
	ldc, ldr int
	// top and left are the row and column at which dst begins.
	top, left int
	ep        *IntEpilogue
	res       []uint8
	codes     *intCodes
	order     []int32 // of the panel that runs next, of grouped ones
	// extra is what is added to the products of rows from extraRow on, lde numbers
	// apart, for the panel that runs next; nil for nothing.
	extra         []float32
	extraRow, lde int
	added         []float32   // of the epilogue, from the first row on
	shifts        [32]float32 // of Mid
}

// looks reports whether tiles turn y into codes by the steps of the epilogue.
func (p *intProduct) looks() bool { return p.tile.looks && p.ep.Steps.words != nil }

// run multiplies rows r0 ≤ r < r1 by one panel whose first column is j of the
// destination, of which cols are stored.
func (p *intProduct) run(t *intArgs, r0, r1 int, panel *intPanel, j, cols int) {
	t.src, t.segs, t.b, t.start = p.src, p.segs, panel.data, panel.start
	t.n, t.store, t.codes = cols, p.store, p.codes
	t.order, t.runs = unsafe.SliceData(p.order), unsafe.SliceData(panel.runs)
	t.lo, t.hi = p.ep.limits(p.store)
	t.zero, t.resMul = int32(p.ep.Zero), p.ep.ResMul
	if t.steps = nil; p.store == storeCodes && p.ep.Steps != nil {
		tree := p.ep.Steps.words
		t.steps, t.more, t.hi = unsafe.SliceData(tree.words), tree.more, min(t.hi, maxTreeSteps)
	} else if p.store == storeCodes {
		t.least = uint8(int32(math.RoundToEven(float64(t.lo))) + t.zero)
	}
	if p.store != storeSums {
		t.mul, t.add = p.ep.Mul[j:j+cols], p.ep.Add[j:j+cols]
		t.last = t.add
	}
	t.mid = false
	if m := p.ep.Mid; m != nil && p.store != storeSums {
		t.mid, t.midLo, t.midHi, t.midMul = true, m.Lo, m.Hi, m.Mul
		t.last = p.shifts[:]
	}
	k := narrowest(p.tile.panels, panel.width)
	lend := p.tile.whole && cols < panel.width
	r := r0
	for _, c := range cut(r1-r0, k.mr) {
		switch {
		case c.tiles == 0:
		case lend:
			p.borrow(t, k, r, c.rows, c.tiles, j, cols)
		default:
			p.call(t, k, r, c.rows, c.tiles, j, cols)
		}
		r += c.rows * c.tiles
	}
}

// call runs tiles of m rows from row r on.
func (p *intProduct) call(t *intArgs, k *panelKernel[intArgs], r, m, tiles, j, cols int) {
	last, size := r+m*tiles-1, p.store.size()
	t.tiles = tiles
	t.rows = p.rows[r : last+1]
	p.lendExtra(t, r)
	t.c, t.ldc = p.dst[((r-p.top)*p.ldc+j-p.left)*size:((last-p.top)*p.ldc+j-p.left+cols)*size], p.ldc*size
	if t.res = nil; p.res != nil {
		t.res, t.ldr = p.res[r*p.ldr+j:last*p.ldr+j+cols], p.ldr
	}
	k.run(m, t)
}

// lendExtra points at what is added to row r.
func (p *intProduct) lendExtra(t *intArgs, r int) {
	if t.extra = nil; p.extra != nil {
		t.extra, t.lde = p.extra[(r-p.extraRow)*p.lde:], 4*p.lde
	}
}

// loanRows is how many rows of a panel a loan has room for.
const loanRows = 96

// intLoan holds rows of whole tiles for kernels that cannot leave columns out.
type intLoan struct {
	mul, add [16]float32
	last     [16]float32
	res      [loanRows * 16]uint8
	c        [loanRows * 16 * 4]uint8
}

// borrow runs tiles of m rows, of which only cols columns exist.
func (p *intProduct) borrow(t *intArgs, k *panelKernel[intArgs], r, m, tiles, j, cols int) {
	l := intLoanPool.Get().(*intLoan)
	size, mul, add, last := p.store.size(), t.mul, t.add, t.last
	copy(l.mul[:], mul)
	copy(l.add[:], add)
	copy(l.last[:], last)
	t.mul, t.add, t.last = l.mul[:], l.add[:], l.last[:]
	for tiles > 0 {
		n := min(tiles, loanRows/m)
		t.rows, t.tiles = p.rows[r:r+n*m], n
		p.lendExtra(t, r)
		t.c, t.ldc = l.c[:], k.width*size
		if t.res = nil; p.res != nil {
			copyPixels(l.res[:], p.res[r*p.ldr+j:], n*m, cols, k.width, p.ldr)
			t.res, t.ldr = l.res[:], k.width
		}
		k.run(m, t)
		copyPixels(p.dst[((r-p.top)*p.ldc+j-p.left)*size:], l.c[:], n*m, cols*size, p.ldc*size, k.width*size)
		r, tiles = r+n*m, tiles-n
	}
	t.mul, t.add, t.last = mul, add, last
	intLoanPool.Put(l)
}
