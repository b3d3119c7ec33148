package quant

import "pare/ir"

// offer is what a tensor does to the network at a width.
type offer struct {
	bits  int
	noise float64 // of the results that it goes into, relative to their variance; or what it adds to the loss
	cost  float64 // 0 for the size times the bits
}

// choice is a tensor with its offers, narrow ones first: the weights of a layer, or
// data that several layers read.
type choice struct {
	nodes  []*ir.Node // the layers
	size   float64    // what a bit of width costs
	offers []offer
}

// allocate gives every tensor the width that it gets for so many bits on average
// over the sizes: first the narrowest each, then always the step that takes the
// most noise out of the network for its cost, until none is left that can be paid.
// It returns the widths by layer.
func allocate(choices []*choice, bits float64) map[*ir.Node]int {
	budget, chosen := 0.0, make([]int, len(choices))
	for _, c := range choices {
		budget += c.size * (bits - float64(c.offers[0].bits))
	}
	for {
		best, width, most, price := -1, 0, 0.0, 0.0
		for i, c := range choices {
			now := c.offers[chosen[i]]
			for k := chosen[i] + 1; k < len(c.offers); k++ {
				o := c.offers[k]
				cost := c.size * float64(o.bits-now.bits)
				if gain := (now.noise - o.noise) / max(1, cost); gain > most && cost <= budget {
					best, width, most, price = i, k, gain, cost
				}
			}
		}
		if best < 0 {
			break
		}
		budget -= price
		chosen[best] = width
	}
	return widthsOf(choices, chosen)
}
