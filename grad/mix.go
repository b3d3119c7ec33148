package grad

import "pare/op"

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
	x, z := in[0], in[1]
	st := b.step(in, []*slot{y})
	name, program := b.node.Name, b.p
	below := uint64(p*(1<<16) + 0.5)
	// each calls f for every element of a task with whether it is x's.
	each := func(lo, hi int, f func(i int, first bool)) {
		draws := op.NewDraws(program.options.Seed, name, program.clock-1)
		for i := lo; i < hi; i += 4 {
			four := draws.Four(i / 4)
			for k := i; k < min(i+4, hi); k++ {
				f(k, four&0xffff < below)
				four >>= 16
			}
		}
	}
	st.then(span(y.size(), func(lo, hi int) {
		each(lo, hi, func(i int, first bool) {
			y.data[i] = z.data[i]
			if first {
				y.data[i] = x.data[i]
			}
		})
	}))
	if st.flows() {
		st.back(span(y.size(), func(lo, hi int) {
			each(lo, hi, func(i int, first bool) {
				for k, mine := range [2]bool{first, !first} {
					if st.wants(k) {
						st.dx[k][i] = 0
						if mine {
							st.dx[k][i] = y.grad[i]
						}
					}
				}
			})
		}))
	}
	return nil
}
