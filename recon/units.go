package recon

import (
	"slices"

	"pare/compress"
	"pare/ir"
)

// Unit is a part of a network that is fitted as a whole: what lies between two values
// that the quantised network and the original both have, under one name.
type Unit struct {
	Name    string
	In, Out string   // "" for the network's inputs and outputs
	Layers  []string // first results of its layers, in order
}

// Segment is a stretch of a network between values that everything passes, with its
// units in order.
type Segment struct {
	From, To string // "" for the network's inputs and outputs
	Units    []Unit
}

// most is the number of layers beyond which a stretch is fitted layer by layer, such as
// a dense block.
const most = 12

// Cut divides a quantised network q and its original f into segments, and these into
// units: blocks, layers, or all as one. Layers are told by the names of their first
// results.
func Cut(q, f *ir.Model, layers []compress.Layer, how string) []Segment {
	c := &cutter{q: q.Graph, f: f.Graph, layers: map[string]*compress.Layer{}, roots: map[string]bool{}, values: [2]map[string]*ir.Value{byName(q.Graph), byName(f.Graph)}}
	for _, l := range compress.Layers(f) {
		c.roots[key(l.Node)] = l.Kind != compress.Other
	}
	for i := range layers {
		c.layers[key(layers[i].Node)] = &layers[i]
	}
	if how == Network {
		return []Segment{c.whole()}
	}
	list := c.segments()
	if how == Block {
		list = c.join(list)
	}
	for i := range list {
		c.divide(&list[i], how)
	}
	return list
}

// Sizes of units.
const (
	Block   = "block"
	Layer   = "layer"
	Network = "network"
)

// key names a layer.
func key(n *ir.Node) string {
	if len(n.Out) == 0 || n.Out[0] == nil {
		return n.Name
	}
	return n.Out[0].Name
}

func byName(g *ir.Graph) map[string]*ir.Value {
	out := map[string]*ir.Value{}
	for v := range g.Values {
		out[v.Name] = v
	}
	return out
}

type cutter struct {
	q, f   *ir.Graph
	layers map[string]*compress.Layer
	roots  map[string]bool         // all layers, those that are not learned as well
	values [2]map[string]*ir.Value // of q and f
}

func (c *cutter) isLayer(n *ir.Node) bool { return c.layers[key(n)] != nil }

func (c *cutter) isRoot(n *ir.Node) bool { return c.roots[key(n)] }

// between lists the layers of f among nodes from..to-1.
func (c *cutter) between(from, to int) (out []string) {
	for _, n := range c.f.Nodes[from:to] {
		if c.isLayer(n) {
			out = append(out, key(n))
		}
	}
	return out
}

func (c *cutter) whole() Segment {
	list := c.between(0, len(c.f.Nodes))
	return Segment{Units: []Unit{{Name: "network", Layers: list}}}
}

// common are the cuts of f that are cuts of q as well.
func (c *cutter) common() []site {
	inQ := map[string]bool{}
	for _, s := range cuts(c.q, c.isRoot) {
		inQ[s.value.Name] = true
	}
	return slices.DeleteFunc(cuts(c.f, c.isRoot), func(s site) bool { return !inQ[s.value.Name] })
}

// segments puts one cut behind every layer, or group of layers, that has one.
func (c *cutter) segments() []Segment {
	var out []Segment
	from, begin := "", 0 // value and node where the segment begins
	sites := c.common()
	for i := 0; i < len(sites); {
		best, j := sites[i], i+1
		for j < len(sites) && len(c.between(sites[j-1].behind+1, sites[j].behind+1)) == 0 {
			if !c.quantised(best.value.Name) {
				best = sites[j]
			}
			j++
		}
		behind := len(c.between(best.behind+1, len(c.f.Nodes)))
		if list := c.between(begin, best.behind+1); len(list) > 0 && behind > 0 {
			out = append(out, Segment{From: from, To: best.value.Name, Units: []Unit{{Layers: list}}})
			from, begin = best.value.Name, best.behind+1
		}
		i = j
	}
	return append(out, Segment{From: from, Units: []Unit{{Layers: c.between(begin, len(c.f.Nodes))}}})
}

// quantised reports whether all that reads a value of q takes it to a grid.
func (c *cutter) quantised(name string) bool {
	v := c.values[0][name]
	if len(v.Uses()) == 0 || c.q.IsOutput(v) {
		return false
	}
	return !slices.ContainsFunc(v.Uses(), func(u ir.Use) bool {
		n := u.Node
		if n.Op == "Clip" && len(n.Out[0].Uses()) == 1 {
			n = n.Out[0].Uses()[0].Node
		}
		return n.Op != "QuantizeLinear" && n.Op != "PowerQuantizeLinear"
	})
}

// divide makes units of a segment, which holds the list of its layers.
func (c *cutter) divide(s *Segment, how string) {
	list := s.Units[0].Layers
	whole := Unit{Name: s.To, In: s.From, Out: s.To, Layers: list}
	if len(list) > 0 {
		whole.Name = c.layers[list[len(list)-1]].Name
	}
	s.Units = []Unit{whole}
	if len(list) == 1 || how == Block && len(list) <= most {
		return
	}
	var units []Unit
	for _, name := range list {
		if u, ok := c.layer(name); ok {
			units = append(units, u)
		}
	}
	s.Units = units
}

// layer is the unit of one layer with the functions of single numbers behind it; ok is
// false where the two networks have no such part in common.
func (c *cutter) layer(name string) (u Unit, ok bool) {
	l := c.layers[name]
	n := c.values[1][name].Producer()
	in, ok := c.shared(n.In[l.Input])
	if !ok {
		return u, false
	}
	out := name
	for v := c.values[1][name]; ; {
		if c.values[0][v.Name] != nil {
			out = v.Name
		}
		if v = c.follow(v); v == nil {
			break
		}
	}
	return Unit{Name: l.Name, In: in, Out: out, Layers: []string{name}}, true
}

// shared names the value v of f where q has it, or what a Min that q does without
// makes it of.
func (c *cutter) shared(v *ir.Value) (string, bool) {
	if n := v.Producer(); c.values[0][v.Name] == nil && n != nil && n.Op == "Min" {
		v = n.In[0]
	}
	return v.Name, c.values[0][v.Name] != nil
}

// pointwise are functions of single numbers, and of one with a constant.
var pointwise = map[string]bool{
	"Relu": true, "Clip": true, "LeakyRelu": true, "PRelu": true, "Elu": true, "HardSwish": true, "HardSigmoid": true, "Sigmoid": true,
	"Tanh": true, "Gelu": true, "Softplus": true, "Min": true, "Max": true, "Add": true, "BatchNormalization": true,
}

// follow is what a function of single numbers makes of v, where nothing else reads it.
func (c *cutter) follow(v *ir.Value) *ir.Value {
	if len(v.Uses()) != 1 || c.f.IsOutput(v) {
		return nil
	}
	n := v.Uses()[0].Node
	if !pointwise[n.Op] || len(n.Out) == 0 {
		return nil
	}
	for _, x := range n.In {
		if x != nil && x != v && x.Const == nil && (x.Producer() == nil || x.Producer().Op != "Constant") {
			return nil
		}
	}
	return n.Out[0]
}
