package group

import "pare/ir"

// Purpose is what an analysis is for: it decides what couples channels and what
// pins them.
type Purpose uint8

// The purposes. Removing is for changes of the number or order of channels;
// Rescaling for multiplying channels by positive numbers. A depthwise
// convolution couples operand and result in the former and parts them in the
// latter, as its filters take up both scales; a sigmoid is no matter to the
// former and pins in the latter.
const (
	Removing Purpose = iota
	Rescaling
)

// Role is what a part of a constant is to a channel.
type Role uint8

// The roles. A row computes the channel, a column reads it, a parameter changes
// it on its way: a bias, a slope, the filter of a depthwise convolution.
const (
	Row Role = iota
	Parameter
	Column
)

// String is the English word.
func (r Role) String() string { return [...]string{"row", "parameter", "column"}[r] }

// Link ties the positions along one axis of a constant operand to units.
type Link struct {
	Node    *ir.Node
	Operand int
	Axis    int
	Role    Role
	// Power says what the positions are multiplied by when a unit is multiplied
	// by s: s to this power.
	Power int
	// Groups is the number of equal parts into which axis 0 of a grouped
	// convolution's filters falls, each with columns of its own; 1 for all else.
	Groups int
	// Units are the units of the positions along Axis, those of all Groups one
	// after the other.
	Units []int
}

// Value is the constant.
func (l *Link) Value() *ir.Value { return l.Node.In[l.Operand] }

// Bound is a Clip between the rows and the columns of its units, for Rescaling.
type Bound struct {
	Node   *ir.Node
	Lo, Hi float64 // infinite where there is none
	Axis   int
	Units  []int
}

// Analysis is the labelling of a graph. It describes the graph as it was: make
// a new one after a change.
type Analysis struct {
	Purpose Purpose
	// Pinned says, by unit, why the unit must stay as it is; "" when it is free.
	Pinned []string
	Links  []*Link
	Bounds []*Bound
	Groups []*Group

	graph      *ir.Graph
	opset      int
	values     map[*ir.Value]labels
	selections map[*ir.Value]selection
	groupOf    []int // by unit: its place in Groups, -1 for none
}

// Channels returns the axis of v along which its channels lie and their units;
// ok is false where nothing is known of them or they lie along several axes.
func (a *Analysis) Channels(v *ir.Value) (axis int, units []int, ok bool) {
	l, ok := a.values[v]
	if !ok || !l.plain() {
		return 0, nil, false
	}
	return l.axis(), l.ids, true
}

// Analyse labels the channels of the model's graph. Types must be known: run
// shape inference first, and simplification, so that shapes are constants.
func Analyse(m *ir.Model, purpose Purpose) *Analysis {
	w := &walk{
		a: &Analysis{Purpose: purpose, graph: m.Graph, opset: m.Opset(""), values: map[*ir.Value]labels{}, selections: map[*ir.Value]selection{}}, m: m,
		origin: map[*ir.Value]string{}, filled: map[*ir.Value]bool{},
	}
	for _, v := range m.Graph.Inputs {
		w.origin[v] = "it is an input of the network"
	}
	for _, n := range m.Graph.Nodes {
		w.node(n)
	}
	for _, v := range m.Graph.Outputs {
		w.pinValue(v, "it is an output of the network")
	}
	w.pinShared()
	w.finish()
	return w.a
}

// finish numbers the classes and forms the groups.
func (w *walk) finish() {
	number := make([]int, len(w.u.parent))
	for i := range w.u.parent {
		r := w.u.find(i)
		if r == i {
			number[i] = len(w.a.Pinned)
			w.a.Pinned = append(w.a.Pinned, w.u.pinned[i])
		} else {
			number[i] = number[r] // roots come first
		}
	}
	units := func(ids []int) []int {
		out := make([]int, len(ids))
		for i, id := range ids {
			out[i] = number[id]
		}
		return out
	}
	for v, l := range w.a.values {
		l.ids = units(l.ids)
		w.a.values[v] = l
	}
	for _, l := range w.a.Links {
		l.Units = units(l.Units)
	}
	for _, b := range w.a.Bounds {
		b.Units = units(b.Units)
	}
	w.a.Groups = w.a.groups()
	w.a.groupOf = make([]int, len(w.a.Pinned))
	for u := range w.a.groupOf {
		w.a.groupOf[u] = -1
	}
	for i, g := range w.a.Groups {
		for _, u := range g.Units {
			w.a.groupOf[u] = i
		}
	}
}
