package group

import "fmt"

// Group is a set of units that the same parts of the same nodes compute, change
// and read: the channels of a layer, or of all layers that feed one sum.
type Group struct {
	ID     string // the name of the first node that computes it, or of what is read
	Units  []int  // in the order of the first link
	Reason string // why it is pinned; "" when it is free
	Links  []*Link
}

// Pinned reports whether the units must stay as they are.
func (g *Group) Pinned() bool { return g.Reason != "" }

// groups joins units with the same links and the same reason; for Removing, those
// of which no value holds other copies, too, so that they pass the same nodes.
func (a *Analysis) groups() []*Group {
	places := make([]uint64, len(a.Pinned))
	if a.Purpose == Removing {
		places = a.places()
	}
	of := make([][]int, len(a.Pinned)) // links by unit
	var order []int
	for i, l := range a.Links {
		for _, u := range l.Units {
			if len(of[u]) == 0 {
				order = append(order, u)
			}
			if k := len(of[u]); k == 0 || of[u][k-1] != i {
				of[u] = append(of[u], i)
			}
		}
	}
	var out []*Group
	known, names := map[string]*Group{}, map[string]int{}
	for _, u := range order {
		key := fmt.Sprint(of[u], places[u], a.Pinned[u])
		g := known[key]
		if g == nil {
			g = &Group{Reason: a.Pinned[u]}
			for _, i := range of[u] {
				g.Links = append(g.Links, a.Links[i])
			}
			g.ID = unique(names, name(g.Links))
			known[key] = g
			out = append(out, g)
		}
		g.Units = append(g.Units, u)
	}
	return out
}

// places makes, by unit, a number of the values that have it and of its copies
// in each.
func (a *Analysis) places() []uint64 {
	out, i := make([]uint64, len(a.Pinned)), uint64(0)
	for v := range a.graph.Values {
		l, ok := a.values[v]
		if i++; !ok {
			continue
		}
		for k, u := range l.ids {
			out[u] = mix(mix(out[u], i), l.copyOf(k))
		}
	}
	return out
}

// name is that of the first node that computes a group, or of what is read where
// nothing does.
func name(links []*Link) string {
	for _, l := range links {
		if l.Role == Row {
			return l.Layer().Label()
		}
	}
	return links[0].Layer().In[0].Name
}

func unique(names map[string]int, name string) string {
	names[name]++
	if k := names[name]; k > 1 {
		return fmt.Sprintf("%s#%d", name, k)
	}
	return name
}
