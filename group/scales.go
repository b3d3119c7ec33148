package group

import (
	"iter"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// Scales are positive numbers by which the units of a network may be multiplied
// without a change of what it computes, chosen so that units that are multiples of
// each other become equal.
type Scales struct {
	a, b  *Analysis // for Removing and for Rescaling
	by    []float64 // by unit of b
	links map[place][]*Link
}

// reach bounds how far apart multiples may be: numbers beyond are noise.
const reach = 1 << 20

// Scales finds, for every unit that may be rescaled, the number that makes what
// computes it, the rows and offsets of all layers that do, a vector of length 1. m is
// the model that a, an analysis for Removing, describes.
func (a *Analysis) Scales(m *ir.Model) *Scales {
	s := &Scales{a: a, b: Analyse(m, Rescaling), links: map[place][]*Link{}}
	for _, l := range s.b.Links {
		at := place{l.Node, l.Operand}
		s.links[at] = append(s.links[at], l)
	}
	s.by = make([]float64, len(s.b.Pinned))
	bounded := s.b.bounded()
	for u, why := range s.b.Pinned {
		if why != "" || bounded[u] {
			s.by[u] = 1
		}
	}
	s.measure()
	s.by = known(s.by)
	return s
}

// bounded are the units that a Clip cuts elsewhere than at 0.
func (a *Analysis) bounded() []bool {
	out := make([]bool, len(a.Pinned))
	cuts := func(x float64) bool { return x != 0 && !math.IsInf(x, 0) }
	for _, b := range a.Bounds {
		for _, u := range b.Units {
			out[u] = out[u] || cuts(b.Lo) || cuts(b.Hi)
		}
	}
	return out
}

// measure sets the scales of units that layers compute from all channels, then, from
// node to node, those of units that follow from the scales of what they are computed
// from: by a depthwise convolution or a batch-norm.
func (s *Scales) measure() {
	sums := make([]float64, len(s.by))
	for _, l := range s.b.Links {
		if l.Power > 0 && !s.relative(l.Node) {
			s.add(sums, l, l.numbers())
		}
	}
	s.settle(sums)
	for i := 0; i < len(s.b.Links); {
		node := s.b.Links[i].Node
		relative := s.relative(node)
		clear(sums)
		for ; i < len(s.b.Links) && s.b.Links[i].Node == node; i++ {
			if l := s.b.Links[i]; relative && l.Role == Row {
				s.add(sums, l, s.numbers(l, s.by))
			}
		}
		if relative {
			s.settle(sums)
		}
	}
}

// relative reports whether the rows of a node read some channels each, so that
// they take up the scales of those.
func (s *Scales) relative(n *ir.Node) bool {
	return slices.ContainsFunc(s.links[place{n, 1}], func(l *Link) bool {
		return l.Role == Column && (l.Groups > 1 || l.Value().Const.Rank() == 1)
	})
}

// add adds the squares of the numbers x of a link to its units.
func (s *Scales) add(sums []float64, l *Link, x []float64) {
	c := l.Value().Const
	size, inner := c.Shape[l.Axis], tensor.Len(c.Shape[l.Axis+1:])
	for i, u := range l.Units {
		for o := i * inner; o < len(x); o += size * inner {
			for _, v := range x[o:][:inner] {
				sums[u] += v * v
			}
		}
	}
}

// settle sets the scales of units that have none yet.
func (s *Scales) settle(sums []float64) {
	for u, x := range sums {
		if s.by[u] == 0 && x > 0 {
			s.by[u] = 1 / math.Sqrt(x)
		}
	}
}

// numbers are those of the constant of a link, multiplied by what scales its rows
// have got.
func (s *Scales) numbers(l *Link, by []float64) []float64 {
	c := l.Value().Const
	x, copied := tensor.Float64s(c), false
	for _, k := range s.links[place{l.Node, l.Operand}] {
		if k.Power == 0 || k.Axis != l.Axis && k.Groups == 1 || even(k.Units, by, 1) {
			continue // what all rows have in common makes none equal
		}
		if !copied {
			x, copied = append([]float64(nil), x...), true
		}
		k.multiply(x, c.Shape, known(by))
	}
	return x
}

// known has 1 for scales that are not known yet.
func known(by []float64) []float64 {
	out := make([]float64, len(by))
	for u, f := range by {
		if out[u] = f; f == 0 {
			out[u] = 1
		}
	}
	return out
}

// Vectors are Analysis.Vectors of the rescaled network: multiples are equal up to
// rounding.
func (s *Scales) Vectors(g *Group) [][]float64 {
	return g.vectors((*Link).computes, s.scaled)
}

// Parts are Analysis.Parts of the rescaled network.
func (s *Scales) Parts(g *Group) iter.Seq2[*Link, [][]float64] {
	return g.parts((*Link).computes, s.scaled)
}

func (s *Scales) scaled(l *Link) []float64 { return s.numbers(l, s.by) }

// Align returns what to Rescale by so that units that are multiples of those they
// are merged into, as into of a Change says, equal them. exact says, by unit of
// the analysis for Removing, for which of them that leads to equality within
// tolerance, relative to the length of their vectors.
func (s *Scales) Align(into []int, tolerance float64) (scale []float64, exact []bool) {
	scale = s.ratios(into)
	exact = make([]bool, len(into))
	numbers := func(l *Link) []float64 { return s.numbers(l, scale) }
	for _, g := range s.a.Groups {
		at, merges := map[int]int{}, false
		for i, u := range g.Units {
			at[u] = i
			merges = merges || into[u] != u && into[u] != Gone
		}
		if !merges {
			continue
		}
		v := g.vectors((*Link).computes, numbers)
		for i, u := range g.Units {
			if to, ok := at[into[u]]; ok && to != i {
				exact[u] = near(v[i], v[to], tolerance)
			}
		}
	}
	return scale, exact
}

func near(x, y []float64, tolerance float64) bool {
	d, n := 0.0, 0.0
	for i := range x {
		d += (x[i] - y[i]) * (x[i] - y[i])
		n += y[i] * y[i]
	}
	return d <= tolerance*tolerance*n
}

// Rescaling is the analysis whose Rescale takes what Align returns.
func (s *Scales) Rescaling() *Analysis { return s.b }

// ratios are the scales that take merged units to those they are merged into, 1
// for all others.
func (s *Scales) ratios(into []int) []float64 {
	out, fixed := make([]float64, len(s.by)), make([]bool, len(s.by))
	for v := range s.a.graph.Values {
		l, ok := s.a.values[v]
		k, known := s.b.values[v]
		switch {
		case !known:
		case !ok || len(l.ids) != len(k.ids):
			for _, u := range k.ids {
				fixed[u] = true
			}
		default:
			s.ratiosOf(l, k, into, out, fixed)
		}
	}
	for u, f := range out {
		if fixed[u] || !(f > 1.0/reach && f < reach) {
			out[u] = 1
		}
	}
	return out
}

// ratiosOf sets the ratios of the units of one value; those that would have to
// have several are fixed.
func (s *Scales) ratiosOf(l, k labels, into []int, out []float64, fixed []bool) {
	at, number := positions(l.ids)
	for i, u := range l.ids {
		f := 1.0
		if to := into[u]; to != u && to != Gone && len(at[to]) == len(at[u]) {
			f = s.by[k.ids[i]] / s.by[k.ids[at[to][number[i]]]]
		}
		b := k.ids[i]
		fixed[b] = fixed[b] || out[b] != 0 && out[b] != f
		out[b] = f
	}
}
