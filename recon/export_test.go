package recon

import (
	"slices"

	"pare/compress"
	"pare/ir"
)

// Restated deploys what a learner of the whole network m holds before it learned
// anything. It returns how many layers that is about.
func Restated(m *ir.Model, original func(name string) []float32, edit func(s *Settings)) (int, error) {
	s := Defaults(edit)
	var names []string
	for _, l := range compress.Layers(m) {
		names = append(names, key(l.Node))
	}
	l, err := newLearner(m, names, &s, original, func(*ir.Value) bool { return true })
	if err == nil {
		err = l.start(&s, 1, 1<<30, 1)
	}
	if err != nil {
		return 0, err
	}
	return len(l.layers), l.harden().apply(m.Graph, "restate")
}

// Moved deploys scales of data that are all changed by a factor.
func Moved(m *ir.Model, factor float32) error {
	c := newChange()
	for _, g := range grids(m) {
		c.grid(g, g.Scale*factor)
	}
	return c.apply(m.Graph, "move")
}

// Shapes lists the units of segments by their layers.
func Shapes(list []Segment) (out [][]string) {
	for _, s := range list {
		for _, u := range s.Units {
			out = append(out, slices.Clone(u.Layers))
		}
	}
	return out
}
