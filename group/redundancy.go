package group

import (
	"cmp"
	"math"
	"runtime"
	"slices"

	"pare/internal/par"
	"pare/ir"
)

// Redundancy counts the units of a group that can go without any change of what
// the network computes.
type Redundancy struct {
	Dead      int // always 0, or read by nothing but zeros
	Equal     int // computed exactly as another one that stays
	Multiples int // a positive multiple of another one that stays
}

// closeness is how far multiples may be apart, relative to the length of their
// vectors: roundings of single numbers.
const closeness = 1e-6

// Redundant counts the redundant units of every group of a, an analysis for
// Removing of m, in the order of the groups; none of pinned groups and of those
// that no layer computes. At least one unit of each stays.
func (a *Analysis) Redundant(m *ir.Model) []Redundancy {
	s := a.Scales(m)
	out := make([]Redundancy, len(a.Groups))
	par.Each(len(out), runtime.GOMAXPROCS(0), func(i int) {
		if g := a.Groups[i]; !g.Pinned() && slices.ContainsFunc(g.Links, func(l *Link) bool { return l.Role == Row }) {
			out[i] = s.redundant(g)
		}
	})
	return out
}

func (s *Scales) redundant(g *Group) Redundancy {
	var r Redundancy
	rows := g.sketch((*Link).computes, s.scaled)
	unread := g.unread()
	var alive []int
	for i, u := range g.Units {
		if unread[i] || rows[i].squares == 0 && s.keepsZero(u) {
			r.Dead++
		} else {
			alive = append(alive, i)
		}
	}
	if len(alive) == 0 {
		r.Dead--
	}
	if pairs := alike(rows, alive); len(pairs) > 0 {
		r.Equal, r.Multiples = s.duplicates(g, pairs)
	}
	return r
}

// unread says, by unit, whether all its columns are 0.
func (g *Group) unread() []bool {
	columns, read := make([]bool, len(g.Units)), make([]bool, len(g.Units))
	g.visit(func(l *Link) bool { return l.Role == Column && !isScale(l) }, distances, func(i int, part []float64) {
		columns[i] = true
		read[i] = read[i] || slices.ContainsFunc(part, func(v float64) bool { return v != 0 })
	})
	for i := range columns {
		columns[i] = columns[i] && !read[i]
	}
	return columns
}

// distances are 0 where the numbers of a link are; codes whose 0 may be another
// number are not.
func distances(l *Link) []float64 {
	if n, d := decodes(l.Node); n != nil && !d.adds(n) {
		return slices.Repeat([]float64{1}, l.Value().Const.Len())
	}
	return l.numbers()
}

// mixture are the weights of a sketch, over and over again: sums tell orders apart.
var mixture = func() (w [4096]float64) {
	for i := range w {
		w[i] = 1 + math.Mod(float64(i)*math.Phi, 1)
	}
	return w
}()

// sketch is a number that equal vectors have in common, with what tells how far
// those of near vectors may be apart.
type sketch struct {
	n            int
	key, squares float64
}

// sketches are, by unit, those of the numbers of all links that of selects.
func (g *Group) sketch(of func(*Link) bool, numbers func(*Link) []float64) []sketch {
	out := make([]sketch, len(g.Units))
	g.visit(of, numbers, func(i int, part []float64) {
		s := &out[i]
		for _, v := range part {
			s.key += v * mixture[s.n%len(mixture)]
			s.squares += v * v
			s.n++
		}
	})
	return out
}

// alike are pairs of units whose sketches are so near that their vectors may be.
func alike(x []sketch, of []int) (pairs [][2]int) {
	of = slices.Clone(of)
	slices.SortStableFunc(of, func(i, j int) int { return cmp.Compare(x[i].key, x[j].key) })
	for k, i := range of {
		slack := closeness * 2 * math.Sqrt(float64(x[i].n)*x[i].squares)
		for _, j := range slices.Backward(of[:k]) {
			if x[i].key-x[j].key > slack {
				break
			}
			if math.Abs(x[i].squares-x[j].squares) <= 4*closeness*x[i].squares {
				pairs = append(pairs, [2]int{min(i, j), max(i, j)})
			}
		}
	}
	return pairs
}

// duplicates counts the units that equal an earlier one, and those that do once
// scaled.
func (s *Scales) duplicates(g *Group, pairs [][2]int) (equal, multiples int) {
	exact, scaled := s.a.Vectors(g), s.Vectors(g)
	slices.SortFunc(pairs, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(a[0], b[0])) })
	gone := map[int]bool{}
	for _, p := range pairs {
		switch i, j := p[0], p[1]; {
		case gone[i] || gone[j]:
		case slices.Equal(exact[i], exact[j]):
			gone[j] = true
			equal++
		case near(scaled[i], scaled[j], closeness):
			gone[j] = true
			multiples++
		}
	}
	return equal, multiples
}

// keepsZero reports whether everything that a unit passes leaves 0 as it is.
func (s *Scales) keepsZero(unit int) bool {
	for v, l := range s.a.values {
		k, ok := s.b.values[v]
		for i, u := range l.ids {
			if u == unit && (!ok || len(k.ids) != len(l.ids) || s.b.Pinned[k.ids[i]] != "") {
				return false
			}
		}
	}
	return true
}
