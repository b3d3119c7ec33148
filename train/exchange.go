package train

import (
	"slices"

	"pare/grad/optim"
	"pare/group"
)

// Exchange goes on with the model as it is now, after Store and changes of its graph
// and weights: data, schedule and number of steps continue. moved says what is left of
// constants by name, as group.Sources tells of a change of channels; momentum
// follows it. Weights of other shapes than that begin without momentum, and so do new
// ones. Weights that are zero now stay so, unless Options.FreeZeros.
func (t *Trainer) Exchange(moved map[string][]group.Source) error {
	old, shapes := t.opt.State(), map[string]int{}
	for i, p := range t.program.Params() {
		shapes[p.Value.Name] = i
	}
	before := t.program.Params()
	if err := t.build(nil); err != nil {
		return err
	}
	state := t.opt.State()
	state.Steps = old.Steps
	for i, p := range t.program.Params() {
		k, ok := shapes[p.Value.Name]
		if !ok {
			continue
		}
		for j := range state.Moments {
			shape, m := slices.Clone(before[k].Shape), old.Moments[j][k]
			for _, s := range moved[p.Value.Name] {
				m = optim.Cut(m, shape, s.Axis, s.From)
				shape[s.Axis] = len(s.From)
			}
			if slices.Equal(shape, p.Shape) {
				copy(state.Moments[j][i], m)
			}
		}
	}
	for _, m := range t.masks {
		m.rest(state)
	}
	return nil
}
