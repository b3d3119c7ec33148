package quant

import (
	"math"

	"pare/internal/par"
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
	var read []*matrix
	for _, t := range s.tensors {
		read = append(read, readers[t.v]...)
	}
	energy := make([][]float64, len(read))
	par.Each(len(read), s.env.Threads, func(i int) { energy[i] = read[i].byColumn() })
	costs := make([][]float64, powerSteps+1)
	par.Each(len(costs), s.env.Threads, func(step int) {
		costs[step] = make([]float64, len(s.scale))
		i := 0
		for _, t := range s.tensors {
			for _, x := range readers[t.v] {
				costs[step][part[t.units[0]]] += expected(t, s.shares(t), x, energy[i], float64(step)/powerSteps, w, a)
				i++
			}
		}
	})
	for step, cost := range costs {
		power := float64(step) / powerSteps
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
// energy is that of the weights by column.
func expected(t ranged, shares []float64, x *matrix, energy []float64, power float64, w, a int) float64 {
	scale, top := make([]float64, len(t.units)), 0.0
	for c := range t.units {
		scale[c] = math.Exp(power * shares[c])
		top = max(top, t.reach[c]/scale[c])
	}
	step := top / float64(int(1)<<a-1)
	var data, all float64
	for c, e := range energy {
		data += e * scale[c] * scale[c]
		all += e * t.square[c]
	}
	if all == 0 || x.ins == 1 {
		return 0
	}
	return (step*step*data + weightError(t, x, scale, w)*x.taps) / 12 / all
}

// weightError is twelve times what rounding the weights, columns multiplied by
// scale, to w bits causes, for each tap.
func weightError(t ranged, x *matrix, scale []float64, w int) float64 {
	spread, sum := make([]float64, max(1, x.columns.Groups)), 0.0
	for c, f := range scale[:len(x.columns.Units)] {
		spread[c/x.ins] += t.square[c] / (f * f)
	}
	for o := range x.outs {
		row := 0.0
		factors := scale[x.part(o)*x.ins:][:x.ins]
		for j, top := range x.top[o*x.ins:][:x.ins] {
			if v := float64(top) * factors[j]; v > row {
				row = v
			}
		}
		row /= float64(int(1)<<(w-1) - 1)
		sum += row * row * spread[x.part(o)]
	}
	return sum
}
