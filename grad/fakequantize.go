package grad

import (
	"math"
)

// fake is a FakeQuantize at fixed shapes.
type fake struct {
	*scaled
	x, zero, y *slot
	lo, hi     float32
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
	f := &fake{b.scaled(st, x, scale, 1), x, zero, y, float32(b.node.Int("lo", 0)), float32(b.node.Int("hi", 255))}
	if f.lo >= f.hi {
		refuse("the codes from %g to %g are none", f.lo, f.hi)
	}
	st.then(f.work(0, f.forward))
	if st.flows() {
		st.uses(in...)
		f.scaled.back(chunk, b.node.Float("scale_gradient", 1), f.slope, f.slopeOf)
		if st.wants(2) {
			f.zeros()
		}
	}
	return nil
}

// bounds are those of codes less the zero point p.
func (f *fake) bounds(p int) (lo, hi float32) {
	if f.zero == nil {
		return f.lo, f.hi
	}
	z := float32(math.RoundToEven(float64(f.zero.data[p])))
	return f.lo - z, f.hi - z
}

// code is the code of a quotient less the zero point. NaN stays.
func code(q, lo, hi float32) float32 {
	const magic = 3 << 22 // its sum with a small number has no fraction
	q = min(max(q, lo), hi)
	return float32(q+magic) - magic + 0
}

func (f *fake) forward(r *scaleRun, _ []float32) {
	x, y := f.x.data[r.lo:r.lo+r.n], f.y.data[r.lo:r.lo+r.n]
	for i, v := range x {
		p := r.of(i)
		lo, hi := f.bounds(p)
		y[i] = code(v/f.scale.data[p], lo, hi) * f.scale.data[p]
	}
}

// slope passes the gradient on where the quotient lies within the range, and returns
// the part of the scale's gradient: what rounding added there, the bound elsewhere.
func (f *fake) slope(r *scaleRun, t []float32) (sum float64) {
	x, dy := f.x.data[r.lo:r.lo+r.n], f.y.grad[r.lo:r.lo+r.n]
	var dx []float32
	if f.st.wants(0) {
		dx = f.st.dx[0][r.lo : r.lo+r.n]
	}
	for i, v := range x {
		p := r.of(i)
		lo, hi := f.bounds(p)
		d, ds := throughSlopes(v/f.scale.data[p], lo, hi)
		if dx != nil {
			dx[i] = dy[i] * d
		}
		sum += float64(dy[i] * ds)
	}
	return sum
}

// throughSlopes are those of the code of a quotient times the scale, by the number and by the
// scale.
func throughSlopes(q, lo, hi float32) (dx, ds float32) {
	switch {
	case q < lo:
		return 0, lo
	case q > hi:
		return 0, hi
	}
	return 1, code(q, lo, hi) - q
}

// slopeOf is the part of element i in the gradient of its own scale.
func (f *fake) slopeOf(i, p int) float64 {
	lo, hi := f.bounds(p)
	_, ds := throughSlopes(f.x.data[i]/f.scale.data[p], lo, hi)
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
				lo, hi := f.bounds(p)
				if d, _ := throughSlopes(f.x.data[r.lo+i]/f.scale.data[p], lo, hi); d == 0 {
					total[p] -= float64(f.y.grad[r.lo+i] * f.scale.data[p])
				}
			}
		}
		for p, v := range total {
			f.st.dx[2][p] = float32(v)
		}
	}))
}
