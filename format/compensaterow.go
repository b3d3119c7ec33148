package format

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// lazy is how many weights are rounded before their errors reach the weights beyond.
const lazy = 128

// rowRun is the work on rows from..to-1, whose weights stand in the factor's order.
type rowRun struct {
	*compensator
	f       *factor
	from, n int
	w       []float64 // n × k
	rest    []float64 // n × k, weights less what stands for them
	terms   []float64 // n × lazy, of rest·R, as far as they are known
	errs    []float64 // by row
	codes   []byte    // n × k
	scale   []float32 // n × k, of each weight
	zero    []int16
}

// run rounds rows and keeps what is better for each.
func (c *compensator) run(f *factor, from, to int) (sum Compensated) {
	r := &rowRun{compensator: c, f: f, from: from, n: to - from}
	size := r.n * c.k
	r.w, r.rest, r.terms, r.errs = make([]float64, size), make([]float64, size), make([]float64, r.n*lazy), make([]float64, r.n)
	r.codes, r.scale, r.zero = make([]byte, size), make([]float32, size), make([]int16, size)
	before := r.gather()
	step := lazy
	if c.Refit {
		step = min(lazy, c.own.block)
	}
	for b := 0; b < c.k; b += step {
		r.block(b, min(b+step, c.k))
	}
	for i := range r.n {
		sum.Before += before[i]
		if !(r.errs[i] < before[i]) {
			sum.After += before[i]
			continue
		}
		sum.After += r.errs[i]
		sum.Moved++
		r.keep(i)
	}
	return sum
}

// gather reads rows, and returns the error of the codes that they have.
func (r *rowRun) gather() []float64 {
	c, k := r.compensator, r.k
	for i := range r.n {
		for j, from := range r.f.order {
			at, to := c.at(r.from+i, from), i*k+j
			g := c.group(at)
			r.w[to], r.scale[to], r.zero[to] = float64(c.w[at]), c.scales[g], c.zeros[g]
			r.rest[to] = r.w[to] - float64(c.value(c.codes[at], c.scales[g], c.zeros[g]))
		}
	}
	before, terms := make([]float64, r.n), slices.Clone(r.rest)
	blas64.Trmm(blas.Right, blas.NoTrans, 1, r.f.triangular(), blas64.General{Rows: r.n, Cols: k, Stride: k, Data: terms})
	for i := range before {
		for j, t := range terms[i*k : (i+1)*k] {
			d := r.rest[i*k+j]
			before[i] += t*t - r.f.added[j]*d*d
		}
	}
	return before
}

// block rounds weights from..to-1 of all rows. Those before are done.
func (r *rowRun) block(from, to int) {
	k, width := r.k, to-from
	terms := blas64.General{Rows: r.n, Cols: width, Stride: lazy, Data: r.terms}
	if from == 0 {
		clear(r.terms)
	} else {
		done := blas64.General{Rows: r.n, Cols: from, Stride: k, Data: r.rest}
		part := blas64.General{Rows: from, Cols: width, Stride: k, Data: r.f.r[from:]}
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, done, part, 0, terms)
	}
	for i := range r.n {
		t := r.terms[i*lazy : i*lazy+width]
		if r.Refit {
			r.refit(i, from, t)
		}
		r.errs[i] += r.round(i, from, t)
	}
}

// round rounds the weights of a row from one on, given what its errors so far add to
// the terms, and returns the terms' squares less what damping adds to them.
func (r *rowRun) round(i, from int, terms []float64) (square float64) {
	k := r.k
	for j := range terms {
		at, line := i*k+from+j, r.f.r[(from+j)*k+from:]
		pivot := line[j]
		want := r.w[at] + terms[j]/pivot
		r.codes[at] = r.nearest(want, r.scale[at], r.zero[at])
		d := r.w[at] - float64(r.value(r.codes[at], r.scale[at], r.zero[at]))
		r.rest[at] = d
		last := d*pivot + terms[j]
		square += last*last - r.f.added[from+j]*d*d
		for m := j + 1; m < len(terms); m++ {
			terms[m] += d * line[m]
		}
	}
	return square
}

// nearest is the stored byte of the level nearest to x.
func (c *compensator) nearest(x float64, scale float32, zero int16) byte {
	u := x / float64(scale)
	if c.e.Levels == nil {
		least := int16(0)
		if !c.e.Spec.Asymmetric {
			least = -int16(c.e.Spec.Levels())
		}
		q := math.RoundToEven(u) + float64(zero)
		return byte(int16(min(max(q, float64(least)), float64(c.e.Spec.Levels()))))
	}
	lo, hi := 0, len(c.mids)
	for lo < hi {
		if m := (lo + hi) / 2; u > float64(c.mids[m]) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return byte(lo)
}

// refit chooses the scale of the block that begins at a weight, for the weights as they
// would be if no more were rounded.
func (r *rowRun) refit(i, from int, terms []float64) {
	k, moved := r.k, make([]float32, len(terms))
	x := slices.Clone(terms)
	for j := range x {
		line := r.f.r[(from+j)*k+from:]
		x[j] /= line[j]
		for m := j + 1; m < len(x); m++ {
			x[m] -= x[j] * line[m]
		}
		moved[j] = float32(r.w[i*k+from+j] + x[j])
	}
	scale, zero := r.grid.scale(moved, 0, Options{Range: r.Range})
	for j := range x {
		r.scale[i*k+from+j], r.zero[i*k+from+j] = scale, int16(zero)
	}
}

// keep takes over the new codes of a row.
func (r *rowRun) keep(i int) {
	for j, from := range r.f.order {
		at, own := r.at(r.from+i, from), i*r.k+j
		r.compensator.codes[at] = r.codes[own]
		if r.Refit {
			g := r.group(at)
			r.scales[g], r.zeros[g] = r.scale[own], r.zero[own]
		}
	}
}
