package kernel

import "sync"

// stepRows is how many rows of a panel are computed before they become codes:
// their floats stay in the first cache.
const stepRows = 48

// stepLoan holds the floats of so many rows.
type stepLoan struct {
	y    [stepRows * 32]float32
	args stepArgs
	part intProduct
}

var stepLoanPool = sync.Pool{New: func() any { return new(stepLoan) }}

// stepped is run for an epilogue with steps.
func (p *intProduct) stepped(t *intArgs, r0, r1 int, panel *intPanel, j, cols int) {
	l := stepLoanPool.Get().(*stepLoan)
	q := &l.part
	*q = *p
	q.store, q.left, q.ldc = storeFloat, j, panel.width
	q.dst = rawBytes(l.y[:])
	for q.top = r0; q.top < r1; q.top += stepRows {
		r := min(q.top+stepRows, r1)
		q.run(t, q.top, r, panel, j, cols)
		l.args = stepArgs{dst: p.dst[q.top*p.ldc+j : (r-1)*p.ldc+j+cols], src: l.y[:], factor: 1,
			rows: r - q.top, cols: cols, ldd: p.ldc, lds: q.ldc}
		p.ep.Steps.matrix(&l.args)
	}
	l.args, l.part = stepArgs{}, intProduct{}
	stepLoanPool.Put(l)
}
