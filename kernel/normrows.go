package kernel

// Normalization maps dense pixels to min(max((x-Mean)·Scale + Shift, Lo), Hi), all but
// the bounds by channel. Where Lo < Hi does not hold nothing is clamped.
type Normalization struct {
	Mean, Scale, Shift []float32
	Lo, Hi             float32
}

func (n *Normalization) limits() (lo, hi float32) {
	e := Epilogue{Lo: n.Lo, Hi: n.Hi}
	return e.limits()
}

// Run computes y from x, whose length is a multiple of the channels; y may be x.
// Every operation is rounded, with the same bits on every machine.
func (n *Normalization) Run(y, x []float32) {
	c := len(n.Mean)
	if len(x) == 0 || c == 0 {
		return
	}
	p, fused := rowsPool.Get().(*rowParams), fusedPixels(c)
	p.fill(fused, n.Mean, n.Scale[:c], n.Shift[:c])
	lo, hi := n.limits()
	loop := pick(normRowsLoops)
	eachRows(len(x), fused*c, func(from, m, rows int) {
		loop(y[from:from+m*rows], x[from:from+m*rows], p.row[0][:m], p.row[1], p.row[2], rows, lo, hi)
	})
	rowsPool.Put(p)
}

// Grad computes dx = g·Scale + ((x-mean)·slope + offset), where g is dy, or 0 where the
// normalised value does not lie strictly between the bounds; with add it is added to
// dx. With slope = -Scale·r²·Σg·(x-mean)/n and offset = -Scale·Σg/n, r being one over
// the standard deviation, it is the gradient through the statistics of n pixels; with
// zeros that of given ones. dx may be dy.
func (n *Normalization) Grad(dx, dy, x, slope, offset []float32, add bool) {
	c := len(n.Mean)
	if len(x) == 0 || c == 0 {
		return
	}
	p, fused := rowsPool.Get().(*rowParams), fusedPixels(c)
	p.fill(fused, n.Mean, n.Scale[:c], n.Shift[:c], slope[:c], offset[:c])
	a := normGradPool.Get().(*normGradArgs)
	*a = normGradArgs{mean: p.row[0], scale: p.row[1], shift: p.row[2], slope: p.row[3], offset: p.row[4]}
	if add {
		a.keep = ^a.keep
	}
	a.lo, a.hi = n.limits()
	loop := pick(normGradLoops)
	eachRows(len(x), fused*c, func(from, m, rows int) {
		a.dx, a.dy, a.x = dx[from:from+m*rows], dy[from:from+m*rows], x[from:from+m*rows]
		a.mean, a.rows = a.mean[:m], rows
		loop(a)
	})
	*a = normGradArgs{}
	normGradPool.Put(a)
	rowsPool.Put(p)
}

// eachRows cuts all elements into whole rows of n and what is left.
func eachRows(all, n int, f func(from, n, rows int)) {
	if rows := all / n; rows > 0 {
		f(0, n, rows)
	}
	if rest := all % n; rest > 0 {
		f(all-rest, rest, 1)
	}
}
