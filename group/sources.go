package group

import "slices"

// Source says where what is left of a constant along an axis comes from: position i
// was position From[i].
type Source struct {
	Axis int
	From []int
}

// Sources says for every constant that c moves, by name, what Apply selects of it, one
// axis after the other, so that numbers kept beside weights, such as momentum, can
// follow them. Sums of merged units and compensated biases are not in it. It reports a
// change that the analysis forbids.
func (a *Analysis) Sources(c *Change) (map[string][]Source, error) {
	e, err := a.edit(c, nil)
	if err != nil {
		return nil, err
	}
	out := map[string][]Source{}
	for _, l := range a.Links {
		name := l.Value().Name
		if !e.changes(l.Units) || slices.ContainsFunc(out[name], func(s Source) bool { return s.Axis == l.Axis }) {
			continue
		}
		out[name] = append(out[name], Source{l.Axis, e.sources(l.Units)})
	}
	return out, nil
}
