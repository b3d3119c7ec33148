package quant

import (
	"pare/compress"
	"pare/ir"
)

// offer is what a layer costs at a width.
type offer struct {
	bits  int
	noise float64 // of its results, relative
	bytes int     // of its codes
}

// allocation shares bytes out between layers.
type allocation struct {
	layers []choice
	at     map[*ir.Node]int // of layers
}

func newAllocation() *allocation { return &allocation{at: map[*ir.Node]int{}} }

// choice is a layer with its offers, narrow ones first.
type choice struct {
	node   *ir.Node
	params int
	offers []offer
}

// add notes an offer of a layer, which is wider than those before.
func (a *allocation) add(l *compress.Layer, o offer) {
	i, ok := a.at[l.Node]
	if !ok {
		i = len(a.layers)
		a.at[l.Node] = i
		a.layers = append(a.layers, choice{node: l.Node, params: l.Params()})
	}
	a.layers[i].offers = append(a.layers[i].offers, o)
}

// spend gives every layer the width that it gets for so many bits per weight:
// first the narrowest each, then always the step that takes the most noise out
// of the network for a byte, until none is left that can be paid.
func (a *allocation) spend(bits float64) map[*ir.Node]int {
	budget, chosen := 0.0, make([]int, len(a.layers))
	for _, c := range a.layers {
		budget += bits*float64(c.params)/8 - float64(c.offers[0].bytes)
	}
	for {
		layer, width, most := -1, 0, 0.0
		for i, c := range a.layers {
			now := c.offers[chosen[i]]
			for k := chosen[i] + 1; k < len(c.offers); k++ {
				o := c.offers[k]
				cost := float64(o.bytes - now.bytes)
				if gain := (now.noise - o.noise) / max(1, cost); gain > most && cost <= budget {
					layer, width, most = i, k, gain
				}
			}
		}
		if layer < 0 {
			break
		}
		c := a.layers[layer]
		budget -= float64(c.offers[width].bytes - c.offers[chosen[layer]].bytes)
		chosen[layer] = width
	}
	out := map[*ir.Node]int{}
	for i, c := range a.layers {
		out[c.node] = c.offers[chosen[i]].bits
	}
	return out
}
