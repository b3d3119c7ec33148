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
		m.st.back(span(y.size(), func(lo, hi int) { m.pass(y.grad, lo, hi) }))
	}
	return nil
}

func (m *mix) draws() op.Draws { return op.NewDraws(m.p.options.Seed, m.name, m.p.clock-1) }

// chosen is all ones where the lowest draw of a word chooses the first operand, else 0.
func (m *mix) chosen(word uint64) uint32 { return uint32(int64(word&0xff-m.below) >> 63) }

// choose writes elements lo to hi of the result; lo is a multiple of 8.
func (m *mix) choose(y, a, b []float32, lo, hi int) {
	draws := m.draws()
	for i := lo; i < hi; i += 8 {
		j, word := min(i+8, hi), draws.Eight(i/8)
		d, u, v := y[i:j], a[i:j], b[i:j]
		for k := range d {
			s, t := math.Float32bits(u[k]), math.Float32bits(v[k])
			d[k] = math.Float32frombits(t ^ (s^t)&m.chosen(word))
			word >>= 8
		}
	}
}

// pass gives gradients to the operands that were chosen, zeros to the others.
func (m *mix) pass(dy []float32, lo, hi int) {
	draws, first, second := m.draws(), m.st.wants(0), m.st.wants(1)
	for i := lo; i < hi; i += 8 {
		j, word := min(i+8, hi), draws.Eight(i/8)
		g := dy[i:j]
		if first {
			m.keep(m.st.dx[0][i:j], g, word, 0)
		}
		if second {
			m.keep(m.st.dx[1][i:j], g, word, ^uint32(0))
		}
	}
}

// keep writes what the draws of a word choose, or with flip all ones what they do not.
func (m *mix) keep(dx, dy []float32, word uint64, flip uint32) {
	dx = dx[:len(dy)]
	for k, v := range dy {
		dx[k] = math.Float32frombits(math.Float32bits(v) & (m.chosen(word) ^ flip))
		word >>= 8
	}
}
