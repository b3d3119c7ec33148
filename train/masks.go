package train

import "pare/grad/optim"

// mask are places of one weight that stay zero.
type mask struct {
	weight int // among the parameters
	zeros  []int32
}

// mask finds pruned weights: zeros in weights with two axes or more, whose momentum
// goes, too.
func (t *Trainer) mask() {
	t.masks = nil
	if t.o.FreeZeros {
		return
	}
	for i, p := range t.program.Params() {
		if len(p.Shape) < 2 {
			continue
		}
		m := mask{weight: i}
		for k, x := range p.Data {
			if x == 0 {
				m.zeros = append(m.zeros, int32(k))
			}
		}
		if len(m.zeros) == 0 {
			continue
		}
		t.masks = append(t.masks, m)
		m.rest(t.opt.State())
	}
}

// rest clears the moments of weights that stay zero.
func (m mask) rest(s *optim.State) {
	for _, moments := range s.Moments {
		for _, k := range m.zeros {
			moments[m.weight][k] = 0
		}
	}
}

// masked clears the gradients of weights that stay zero. Without gradient, momentum
// and size no optimiser moves them.
func (t *Trainer) masked() {
	for _, m := range t.masks {
		g := t.program.Params()[m.weight].Grad
		for _, k := range m.zeros {
			g[k] = 0
		}
	}
}
