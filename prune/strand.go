package prune

import (
	"math"
	"slices"

	"pare/grad"
	"pare/group"
	"pare/ir"
	"pare/tensor"
)

// strand is a constant whose entries are tied to the units of a group, on the path
// from the network as it is to the network without them: at t, from 1 to 0, entries
// are rest + t·part.
type strand struct {
	value       *ir.Value
	units       []int // by position along the axis: the unit's place in the group, -1 for none
	inner       int   // entries of one position that lie side by side
	was         []float32
	part, rest  []float32
	param       *grad.Param
	multiplying bool // weights, in contrast to what is added
}

// unit is the place of the unit that entry i belongs to, -1 for none.
func (s *strand) unit(i int) int { return s.units[s.position(i)] }

// position is that of entry i along the axis.
func (s *strand) position(i int) int { return i / s.inner % len(s.units) }

// set moves the entries of one unit, or of all with -1, to t.
func (s *strand) set(t float32, only int) {
	for i, p := range s.part {
		if k := s.unit(i); k >= 0 && (only < 0 || only == k) {
			s.param.Data[i] = s.rest[i] + t*p
		}
	}
}

// restore puts all entries back.
func (s *strand) restore() { copy(s.param.Data, s.was) }

// newStrand is the strand of a link, nil where the constant may stay: what multiplies
// a channel on its way, as the channel itself goes to nothing.
func newStrand(l *group.Link, at map[int]int) *strand {
	part, rest, scaled := pathOf(l)
	if !scaled || l.Role == group.Column {
		return nil
	}
	c := l.Value().Const
	s := &strand{value: l.Value(), inner: tensor.Len(c.Shape[l.Axis+1:]), part: part, rest: rest, multiplying: l.Role == group.Row && c.Rank() > 1}
	for _, u := range l.Units {
		k, own := at[u]
		if !own {
			k = -1
		}
		s.units = append(s.units, k)
	}
	if slices.Max(s.units) < 0 {
		return nil
	}
	return s
}

// pathOf is what of a link's constant goes to nothing with its units, and what stays.
// Without its mean and spread, which are those of the whole channel, a batch-norm
// whose operand vanishes gives β - μγ/√(σ²+ε): that has to vanish, not β.
func pathOf(l *group.Link) (part, rest []float32, scaled bool) {
	part = slices.Clone(tensor.Float32s(l.Value().Const))
	rest = make([]float32, len(part))
	if l.Node.Op != "BatchNormalization" {
		return part, rest, l.Role == group.Row || l.Power == 1
	}
	gamma, mean, variance := tensor.Float32s(l.Node.In[1].Const), tensor.Float32s(l.Node.In[3].Const), tensor.Float32s(l.Node.In[4].Const)
	epsilon := float64(l.Node.Float("epsilon", 1e-5))
	for i := range part {
		if l.Operand == 2 {
			rest[i] = float32(float64(mean[i]) * float64(gamma[i]) / math.Sqrt(float64(variance[i])+epsilon))
			part[i] -= rest[i]
		}
	}
	return part, rest, l.Operand == 2
}

// bundle are the strands of one layer: the weights of its units, and what is added to
// the results of each.
type bundle struct {
	weights, offsets []*strand
}

// bundlesOf are the bundles of a group. Where a batch-norm or a sum stands right behind
// a layer, what it adds belongs to the layer, as it does once it is folded.
func bundlesOf(g *group.Group) (out []*bundle) {
	at, of := unitIndex(g), map[*ir.Node]*bundle{}
	for _, l := range g.Links {
		s := newStrand(l, at)
		if s == nil {
			continue
		}
		home := l.Node
		if p := behind(l); p != nil && of[p] != nil {
			home = p
		}
		b := of[home]
		if b == nil {
			b = &bundle{}
			out = append(out, b)
		}
		of[l.Node], of[home] = b, b
		if s.multiplying || len(s.part) != len(s.units) {
			b.weights = append(b.weights, s)
		} else {
			b.offsets = append(b.offsets, s)
		}
	}
	return out
}

// behind is the node whose result alone a parameter is added to.
func behind(l *group.Link) *ir.Node {
	for _, v := range l.Node.In {
		if v != nil && v.Const == nil {
			return v.Producer()
		}
	}
	return nil
}

// strands are all of a list of bundles.
func strands(list []*bundle) (out []*strand) {
	for _, b := range list {
		out = append(append(out, b.weights...), b.offsets...)
	}
	return out
}
