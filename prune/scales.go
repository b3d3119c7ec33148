package prune

import (
	"math"

	"pare/group"
	"pare/ir"
	"pare/tensor"
)

// scales knows by what number every channel may be divided without a change of the
// function, so that what computes it has norm 1: channels that are multiples of
// each other then have equal vectors.
type scales struct {
	a     *group.Analysis // for rescaling
	free  []bool          // by unit of it
	norm  []float64       // likewise; 1 where the unit is not free
	links map[operand][]*group.Link
	data  map[*ir.Value][]float32 // of linked constants
}

// operand is a constant where a node reads it.
type operand struct {
	node *ir.Node
	in   int
}

// newScales measures what computes every channel of m. Without scaled all norms
// are 1.
func newScales(m *ir.Model, scaled bool) *scales {
	s := &scales{a: group.Analyse(m, group.Rescaling), links: map[operand][]*group.Link{}, data: map[*ir.Value][]float32{}}
	s.free, s.norm = make([]bool, len(s.a.Pinned)), make([]float64, len(s.a.Pinned))
	for u := range s.norm {
		s.free[u], s.norm[u] = scaled && s.a.Pinned[u] == "", 1
	}
	for _, b := range s.a.Bounds {
		if b.Lo != 0 && !math.IsInf(b.Lo, 0) || !math.IsInf(b.Hi, 0) {
			for _, u := range b.Units {
				s.free[u] = false
			}
		}
	}
	for _, l := range s.a.Links {
		at := operand{l.Node, l.Operand}
		s.links[at] = append(s.links[at], l)
		if v := l.Value(); s.data[v] == nil {
			s.data[v] = tensor.Float32s(v.Const)
		}
	}
	s.measure()
	return s
}

// measure finds the norms: of rows and offsets where a layer computes the
// channel from many, else of what a depthwise convolution or batch-norm does to
// the one that it reads.
func (s *scales) measure() {
	sums := make([]float64, len(s.norm))
	for _, l := range s.a.Links {
		if l.Power > 0 && s.single(operand{l.Node, 1}) == nil {
			s.add(sums, l)
		}
	}
	known := make([]bool, len(s.norm))
	settle := func(u int) {
		if s.free[u] && sums[u] > 0 {
			s.norm[u] = math.Sqrt(sums[u])
		}
	}
	for u := range s.norm {
		known[u] = sums[u] > 0
		settle(u)
	}
	for i := 0; i < len(s.a.Links); {
		node := s.a.Links[i].Node
		var own []*group.Link
		for ; i < len(s.a.Links) && s.a.Links[i].Node == node; i++ {
			if l := s.a.Links[i]; l.Role == group.Row && s.single(operand{node, 1}) != nil {
				own = append(own, l)
			}
		}
		s.through(own, sums, known, settle)
	}
}

// through measures channels that a node computes from one channel each, unless
// they are known.
func (s *scales) through(own []*group.Link, sums []float64, known []bool, settle func(u int)) {
	var fresh []int
	for _, l := range own {
		for k, u := range l.Units {
			if !known[u] {
				fresh = append(fresh, u)
				sums[u] += s.energy(l, k)
			}
		}
	}
	for _, u := range fresh {
		known[u] = true
		settle(u)
	}
}

// add adds the energy of every position of l to its unit.
func (s *scales) add(sums []float64, l *group.Link) {
	for k, u := range l.Units {
		if s.free[u] {
			sums[u] += s.energy(l, k)
		}
	}
}

// energy is the sum of squares at position k of a link, in terms of what the node
// reads once that is divided by its norm.
func (s *scales) energy(l *group.Link, k int) (sum float64) {
	f := 1.0
	if c := s.single(operand{l.Node, l.Operand}); c != nil {
		f = s.norm[c.Units[k*len(c.Units)/len(l.Units)]]
	}
	s.each(l, k, func(part []float32) {
		for _, v := range part {
			x := f * float64(v)
			sum += x * x
		}
	})
	return sum
}

// single is the link of the channels that a constant reads where every position
// of it reads one alone, nil otherwise.
func (s *scales) single(at operand) *group.Link {
	for _, l := range s.links[at] {
		if l.Role == group.Column && (l.Value().Const.Rank() == 1 || l.Groups > 1 && l.Groups == len(l.Units)) {
			return l
		}
	}
	return nil
}

// each shows f the elements of a constant at position k of a link, part by part.
func (s *scales) each(l *group.Link, k int, f func(part []float32)) {
	c, x := l.Value().Const, s.data[l.Value()]
	size, inner := c.Shape[l.Axis], tensor.Len(c.Shape[l.Axis+1:])
	for o := k * inner; o < len(x); o += size * inner {
		f(x[o:][:inner])
	}
}

// factor is what the elements at position k of a link, whose position on axis 0
// it is, are multiplied by when all channels are divided by their norms.
func (s *scales) factor(l *group.Link, k int) float64 {
	f := 1.0
	own := s.single(operand{l.Node, l.Operand})
	for _, r := range s.links[operand{l.Node, l.Operand}] {
		switch {
		case r == own:
			f *= s.norm[r.Units[k*len(r.Units)/l.Value().Const.Shape[0]]]
		case r.Role != group.Column && r.Axis == l.Axis && r.Power > 0:
			f /= s.norm[r.Units[k]]
		}
	}
	return f
}

// units are those for rescaling at position k of a link.
func (s *scales) units(l *group.Link, k int) (out []int) {
	for _, r := range s.links[operand{l.Node, l.Operand}] {
		if r.Role != group.Column && r.Axis == l.Axis {
			out = append(out, r.Units[k])
		}
	}
	return out
}
