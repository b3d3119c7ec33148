package quant

import (
	"math"

	"pare/ir"
)

// powerSteps is the resolution in which the best power is looked for.
const powerSteps = 8

// powers chooses, by unit, the part of the ranges that weights take up: that of
// the least expected error of what the layers compute. Rounding data to one scale
// for all channels costs less the more weights take up, rounding weights to one
// scale per row costs more. Tensors that share channels have one power.
func (s *spiq) powers(w, a int) []float64 {
	part := s.parts()
	best, least := make([]float64, len(s.scale)), filled(len(s.scale), math.Inf(1))
	readers := s.readers()
	for step := range powerSteps + 1 {
		power, cost := float64(step)/powerSteps, make([]float64, len(s.scale))
		for _, t := range s.tensors {
			for _, x := range readers[t.v] {
				cost[part[t.units[0]]] += expected(t, s.shares(t), x, power, w, a)
			}
		}
		for u, p := range part {
			if cost[p] < least[u] {
				best[u], least[u] = power, cost[p]
			}
		}
	}
	return best
}

// parts numbers the sets of units that lie together in tensors.
func (s *spiq) parts() []int {
	part := make([]int, len(s.scale))
	for u := range part {
		part[u] = u
	}
	find := func(u int) int {
		for part[u] != u {
			part[u] = part[part[u]]
			u = part[u]
		}
		return u
	}
	for _, t := range s.tensors {
		for _, u := range t.units {
			part[find(u)] = find(t.units[0])
		}
	}
	for u := range part {
		part[u] = find(u)
	}
	return part
}

// readers are the weights by the tensor that meets them.
func (s *spiq) readers() map[*ir.Value][]*matrix {
	out := map[*ir.Value][]*matrix{}
	for _, x := range s.matrices() {
		if x.columns != nil && len(x.columns.Node.In) > 0 {
			v := x.columns.Node.In[0]
			out[v] = append(out[v], x)
		}
	}
	return out
}

// shares are those of the channels of a tensor.
func (s *spiq) shares(t ranged) []float64 {
	out := make([]float64, len(t.units))
	for c, u := range t.units {
		out[c], _ = s.share(u)
	}
	return out
}

// expected is the error that rounding data and weights causes in what a layer
// computes, relative to what it computes, if its operands are uncorrelated and
// the data's channels are divided by their share, a logarithm, to the given power.
func expected(t ranged, shares []float64, x *matrix, power float64, w, a int) float64 {
	scale, top := make([]float64, len(t.units)), 0.0
	for c := range t.units {
		scale[c] = math.Exp(power * shares[c])
		top = max(top, t.reach[c]/scale[c])
	}
	step := top / float64(int(1)<<a-1)
	var data, weights, all float64
	for o := range x.outs {
		first := x.part(o) * x.ins
		row, spread := 0.0, 0.0
		for j := range x.ins {
			c, at := first+j, o*x.ins+j
			row = max(row, x.top[at]*scale[c])
			data += x.energy[at] * scale[c] * scale[c]
			spread += t.square[c] / (scale[c] * scale[c])
			all += x.energy[at] * t.square[c]
		}
		row /= float64(int(1)<<(w-1) - 1)
		weights += row * row * spread * x.taps
	}
	if all == 0 || x.ins == 1 {
		return 0
	}
	return (step*step*data + weights) / 12 / all
}
