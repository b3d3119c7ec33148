package optim

import "fmt"

// State is what an optimiser knows besides the weights: enough to go on with the
// same bits. It survives JSON.
type State struct {
	Name  string
	Steps int
	// Moments has, by moment and by weight over all groups, one number for every
	// number of the weight, in its layout.
	Moments [][][]float32
}

func (t *optimizer) fresh() *State {
	s := &State{Name: t.rule.name, Moments: make([][][]float32, t.rule.moments)}
	for k := range s.Moments {
		for _, g := range t.groups {
			for _, p := range g.Params {
				s.Moments[k] = append(s.Moments[k], make([]float32, len(p)))
			}
		}
	}
	return s
}

func (t *optimizer) State() *State { return t.state }

func (t *optimizer) Restore(s *State) error {
	if s.Name != t.state.Name || len(s.Moments) != len(t.state.Moments) || s.Steps < 0 {
		return fmt.Errorf("the state of optimizer %q does not fit %q", s.Name, t.state.Name)
	}
	for k, moments := range t.state.Moments {
		if len(s.Moments[k]) != len(moments) {
			return fmt.Errorf("the state is of %d weights, not %d", len(s.Moments[k]), len(moments))
		}
		for i, m := range moments {
			if len(s.Moments[k][i]) != len(m) {
				return fmt.Errorf("the state has %d numbers of weight %d, not %d", len(s.Moments[k][i]), i, len(m))
			}
		}
	}
	t.state = s
	return nil
}

// Cut keeps of data, laid out row-major in shape, the given indices along an axis,
// in their order. It serves weights and moments alike when channels are removed.
func Cut(data []float32, shape []int, axis int, keep []int) []float32 {
	outer, inner := 1, 1
	for _, n := range shape[:axis] {
		outer *= n
	}
	for _, n := range shape[axis+1:] {
		inner *= n
	}
	out := make([]float32, 0, outer*len(keep)*inner)
	for o := range outer {
		for _, k := range keep {
			at := (o*shape[axis] + k) * inner
			out = append(out, data[at:at+inner]...)
		}
	}
	return out
}

// Cut keeps of all moments of weight i, of the given shape, the indices along an
// axis. The state then fits an optimiser of the smaller weight.
func (s *State) Cut(i int, shape []int, axis int, keep []int) {
	for k := range s.Moments {
		s.Moments[k][i] = Cut(s.Moments[k][i], shape, axis, keep)
	}
}
