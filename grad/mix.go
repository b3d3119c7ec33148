package grad

import (
	"math"

	"pare/op"
)

// mix is a Mix at fixed shapes.
type mix struct {
	st    *step
	p     *Program
	name  string
	below uint64 // draws below it choose the first operand
}

// lowerMix chooses each element of one operand or the other, anew in every step.
// Elements are numbered as they lie.
func lowerMix(b *builder) error {
	if !sameShape(b.shape(0), b.shape(1)) {
		refuse("operands of shapes %v and %v", b.shape(0), b.shape(1))
	}
	p := float64(b.node.Float("p", 0.5))
	if !(p >= 0 && p <= 1) {
		refuse("probability %g is not in [0, 1]", p)
	}
	in, y := b.alike(0, 1)
	m := &mix{b.step(in, []*slot{y}), b.p, b.node.Name, op.Threshold(p)}
	m.st.then(span(y.size(), func(lo, hi int) { m.choose(y.data, in[0].data, in[1].data, lo, hi) }))
	if m.st.flows() {
		m.st.back(span(y.size(), func(lo, hi int) {
			for i := range in {
				if m.st.wants(i) {
					m.pass(m.st.dx[i], y.grad, lo, hi, i == 0)
				}
			}
		}))
	}
	return nil
}

func (m *mix) draws() op.Draws { return op.NewDraws(m.p.options.Seed, m.name, m.p.clock-1) }

// chosen is all ones where a draw chooses the first operand, else 0.
func (m *mix) chosen(draw uint64) uint32 {
	return uint32(int64(draw&0xffff-m.below) >> 63)
}

// choose writes elements lo to hi of the result; lo is a multiple of 4.
func (m *mix) choose(y, a, b []float32, lo, hi int) {
	draws := m.draws()
	y, a, b = y[:hi], a[:hi], b[:hi]
	for i := lo; i < hi; i += 4 {
		four := draws.Four(i / 4)
		for k := i; k < min(i+4, hi); k++ {
			u, v := math.Float32bits(a[k]), math.Float32bits(b[k])
			y[k] = math.Float32frombits(v ^ (u^v)&m.chosen(four))
			four >>= 16
		}
	}
}

// pass writes the gradients of one operand: those of the elements that are its own.
func (m *mix) pass(dx, dy []float32, lo, hi int, first bool) {
	draws, flip := m.draws(), uint32(0)
	if !first {
		flip = ^flip
	}
	dx, dy = dx[:hi], dy[:hi]
	for i := lo; i < hi; i += 4 {
		four := draws.Four(i / 4)
		for k := i; k < min(i+4, hi); k++ {
			dx[k] = math.Float32frombits(math.Float32bits(dy[k]) & (m.chosen(four) ^ flip))
			four >>= 16
		}
	}
}
