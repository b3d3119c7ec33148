package grad

import (
	"context"
	"math"

	"pare/kernel"
)

// fake is a FakeQuantize at fixed shapes.
type fake struct {
	*scaled
	x, zero, y *slot
	lo, hi     float32
	grids      []*kernel.Scales // one for every scale, where elements share them
}

// lowerFakeQuantize rounds to codes and passes gradients straight through, within the
// range; that of the scale is LSQ's [esser20].
func lowerFakeQuantize(b *builder) error {
	scale, zero := b.in(1, plain), b.in(2, plain)
	lay := plain
	if scale.size() == 1 {
		lay = either
	}
	x := b.in(0, lay)
	y := b.out(0, x.lay)
	in := []*slot{x, scale}
	if zero != nil {
		if zero.size() != scale.size() {
			refuse("%d zero points for %d scales", zero.size(), scale.size())
		}
		in = append(in, zero)
	}
	st := b.step(in, []*slot{y})
	f := &fake{scaled: b.scaled(st, x, scale, 1), x: x, zero: zero, y: y, lo: float32(b.node.Int("lo", 0)), hi: float32(b.node.Int("hi", 255))}
	if f.lo >= f.hi {
		refuse("the codes from %g to %g are none", f.lo, f.hi)
	}
	if len(f.runs) > 0 && !f.runs[0].each {
		for range scale.size() {
			f.grids = append(f.grids, kernel.NewScales(make([]kernel.Scale, 1)))
		}
	}
	st.eval = f.prepare
	st.then(f.work(0, f.forward))
	if st.flows() {
		f.back(b.node.Float("scale_gradient", 1))
	}
	return nil
}

// back adds the backward works.
func (f *fake) back(scale float32) {
	st := f.st
	st.uses(st.in...)
	if st.wants(1) && f.grids != nil {
		st.uses(f.y)
	}
	f.scaled.back(2*chunk, scale, f.slope, f.slopeOf)
	if st.wants(2) {
		f.zeros()
	}
}

// prepare checks the scales and gives them to the kernels.
func (f *fake) prepare(ctx context.Context) error {
	for p, g := range f.grids {
		g.Set(0, kernel.Scale{Step: f.scale.data[p], Zero: int32(f.zeroOf(p)), Lo: int32(f.lo), Hi: int32(f.hi)})
	}
	return f.check(ctx)
}

func (f *fake) zeroOf(p int) float32 {
	if f.zero == nil {
		return 0
	}
	return float32(math.RoundToEven(float64(f.zero.data[p])))
}

// bounds are those of codes less the zero point p.
func (f *fake) bounds(p int) (lo, hi float32) {
	z := f.zeroOf(p)
	return f.lo - z, f.hi - z
}

// code is the code of a quotient less the zero point. NaN stays.
func code(q, lo, hi float32) float32 {
	const magic = 3 << 22 // its sum with a small number has no fraction
	q = min(max(q, lo), hi)
	return float32(q+magic) - magic + 0
}

func (f *fake) forward(r *scaleRun, _ []float32) {
	for i := r.lo; i < r.lo+r.n; i += chunk {
		j := min(i+chunk, r.lo+r.n)
		x, y := f.x.data[i:j], f.y.data[i:j]
		if size := kernel.RowSize(x); f.grids != nil && size == size {
			kernel.FakeQuantize(y, x, f.grids[r.p])
			continue
		}
		for k, v := range x {
			p := r.of(i + k - r.lo)
			lo, hi := f.bounds(p)
			y[k] = code(v/f.scale.data[p], lo, hi) * f.scale.data[p]
		}
	}
}

// slope passes the gradient on where the quotient lies within the range, and returns
// the part of the scale's gradient: what rounding added there, the bound elsewhere.
func (f *fake) slope(r *scaleRun, t []float32) (sum float64) {
	if f.grids == nil {
		f.through(r)
		return 0
	}
	s := f.scale.data[r.p]
	lo, hi := f.bounds(r.p)
	for i := r.lo; i < r.lo+r.n; i += chunk {
		j := min(i+chunk, r.lo+r.n)
		q, d := t[:j-i], t[chunk:chunk+j-i]
		if f.st.wants(0) {
			d = f.st.dx[0][i:j]
		}
		kernel.Div.RunScalar(q, f.x.data[i:j], s)
		kernel.ClampGrad(d, f.y.grad[i:j], q, below(lo), above(hi), false)
		if f.st.wants(1) {
			sum += moved(q, d, f.y.grad[i:j], f.x.data[i:j], f.y.data[i:j])
		}
	}
	return sum / float64(s)
}

// moved is Σd·(y-x) + Σ(dy-d)·y, where d is the gradient that passes; t is lost.
func moved(t, d, dy, x, y []float32) float64 {
	kernel.Sub.Run(t, y, x)
	kernel.Mul.Run(t, t, d)
	sum := float64(kernel.RowSum(t))
	kernel.Sub.Run(t, dy, d)
	kernel.Mul.Run(t, t, y)
	return sum + float64(kernel.RowSum(t))
}

// below and above are the numbers next to x.
func below(x float32) float32 { return math.Nextafter32(x, -inf) }
func above(x float32) float32 { return math.Nextafter32(x, inf) }

// through sets the gradient of a run whose elements have scales of their own.
func (f *fake) through(r *scaleRun) {
	if !f.st.wants(0) {
		return
	}
	for i := r.lo; i < r.lo+r.n; i++ {
		d, _ := f.slopes(i, r.of(i-r.lo))
		f.st.dx[0][i] = f.y.grad[i] * d
	}
}

// slopes are those of element i, of scale p, by the number and by the scale.
func (f *fake) slopes(i, p int) (dx, ds float32) {
	lo, hi := f.bounds(p)
	switch q := f.x.data[i] / f.scale.data[p]; {
	case q < lo:
		return 0, lo
	case q > hi:
		return 0, hi
	default:
		return 1, code(q, lo, hi) - q
	}
}

// slopeOf is the part of element i in the gradient of its own scale.
func (f *fake) slopeOf(i, p int) float64 {
	_, ds := f.slopes(i, p)
	return float64(f.y.grad[i] * ds)
}

// zeros adds the work of the gradient of zero points: those beyond the range move with
// it.
func (f *fake) zeros() {
	total := make([]float64, f.zero.size())
	f.st.back(serial(func() {
		clear(total)
		for _, r := range f.runs {
			for i := range r.n {
				p := r.of(i)
				if d, _ := f.slopes(r.lo+i, p); d == 0 {
					total[p] -= float64(f.y.grad[r.lo+i] * f.scale.data[p])
				}
			}
		}
		for p, v := range total {
			f.st.dx[2][p] = float32(v)
		}
	}))
}
