package grad

import (
	"context"
	"math"

	"pare/op"
)

// latent is a PowerLatent at fixed shapes: weights on a power grid whose codes and
// exponent are learned (NUPES, [yvinec25]).
type latent struct {
	*scaled
	v, alpha, y       *slot
	n, top            float64
	least, most, beta float64
	a                 float64
	table             []latentPoint // by code + n, where codes are whole
	parts             *buffer       // of alpha's gradient, one for every run
}

// latentPoint is a level in units of the scale with its derivatives by the code and
// by the exponent.
type latentPoint struct{ level, byCode, byExponent float32 }

func lowerPowerLatent(b *builder) error {
	v, scale, alpha := b.in(0, plain), b.in(1, plain), b.in(2, plain)
	y := b.out(0, plain)
	st := b.step([]*slot{v, scale, alpha}, []*slot{y})
	attr := func(name string, def float32) float64 { return float64(b.node.Float(name, def)) }
	l := &latent{scaled: b.scaled(st, v, scale, 1), v: v, alpha: alpha, y: y,
		n: float64(b.node.Int("n", 7)), top: float64(b.node.Int("top", 1)),
		least: attr("least", 0.2), most: attr("most", 1), beta: attr("beta", 0)}
	if l.n < 1 || l.n > 1<<15 || l.top < 1 || !(l.beta >= 0) || alpha.size() != 1 {
		refuse("n is %g, top is %g, beta is %g, exponents are %d", l.n, l.top, l.beta, alpha.size())
	}
	l.table = make([]latentPoint, 2*int(l.n)+1)
	st.eval = l.prepare
	st.then(l.work(0, func(r *scaleRun, _ []float32) {
		for i, v := range v.data[r.lo : r.lo+r.n] {
			y.data[r.lo+i] = scale.data[r.of(i)]*l.at(v).level + 0
		}
	}))
	if st.flows() {
		st.uses(v, scale, alpha)
		if st.wants(2) {
			l.parts = st.temp(len(l.runs))
		}
		l.scaled.back(0, 1, l.slope, func(i, _ int) float64 { return float64(y.grad[i] * l.at(v.data[i]).level) })
		if st.wants(2) {
			st.back(serial(l.exponent))
		}
	}
	return nil
}

// prepare makes the table of levels for the exponent as it is.
func (l *latent) prepare(ctx context.Context) error {
	l.a = op.LatentExponent(float64(l.alpha.data[0]), l.least, l.most)
	for i := range l.table {
		p := l.point(float64(i) - l.n)
		if l.top > 1 {
			p.level = float32(math.RoundToEven(float64(p.level)))
		}
		l.table[i] = p
	}
	return l.check(ctx)
}

// point is what a code stands for. Codes near 0 count as half a step from it in the
// derivative by the code, which would vanish there else; that by the exponent is 0 at
// code 0.
func (l *latent) point(q float64) latentPoint {
	u := math.Abs(q) / l.n
	level := l.top * math.Pow(u, 1/l.a)
	p := latentPoint{level: float32(math.Copysign(level, q))}
	p.byCode = float32(l.top / (l.a * l.n) * math.Pow(max(u, 1/(2*l.n)), 1/l.a-1))
	if u > 0 {
		p.byExponent = float32(-math.Copysign(level, q) / (l.a * l.a) * math.Log(u))
	}
	return p
}

// at is the point of a latent; beyond the grid it does not move with it.
func (l *latent) at(v float32) latentPoint {
	x := float64(v)
	q, slope := math.RoundToEven(x), 1.0
	if l.beta > 0 {
		q, slope = staircase(x, l.beta)
	}
	q = min(max(q, -l.n), l.n)
	if math.Abs(x) > l.n {
		slope = 0
	}
	if q != q {
		return latentPoint{v, v, v}
	}
	p := latentPoint{}
	if l.beta > 0 {
		p = l.point(q)
	} else {
		p = l.table[int(q+l.n)]
	}
	p.byCode *= float32(slope)
	return p
}

// slope sets the gradients of the latents of a run and of alpha's part, and returns
// that of the scale.
func (l *latent) slope(r *scaleRun, _ []float32) (sum float64) {
	byExponent := 0.0
	for i, v := range l.v.data[r.lo : r.lo+r.n] {
		p, dy, f := l.at(v), l.y.grad[r.lo+i], l.scale.data[r.of(i)]
		if l.st.wants(0) {
			l.st.dx[0][r.lo+i] = dy * f * p.byCode
		}
		byExponent += float64(dy * f * p.byExponent)
		sum += float64(dy * p.level)
	}
	if l.parts != nil {
		l.parts.data[r.index] = float32(byExponent)
	}
	return sum
}

// exponent sums the gradient of alpha, through the exponent.
func (l *latent) exponent() {
	sum := 0.0
	for _, v := range l.parts.data[:len(l.runs)] {
		sum += float64(v)
	}
	s := sigmoid(float64(l.alpha.data[0]))
	l.st.dx[2][0] = float32(sum * (l.most - l.least) * s * (1 - s))
}

// staircase is op's smooth rounding, with its derivative: the identity for beta near
// 0, rounding as beta grows.
func staircase(v, beta float64) (s, slope float64) {
	floor := math.Floor(v)
	low := sigmoid(-beta / 2)
	p := sigmoid(beta * (v - floor - 0.5))
	return floor + (p-low)/(1-2*low), beta * p * (1 - p) / (1 - 2*low)
}
