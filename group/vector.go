package group

import (
	"iter"
	"math"

	"pare/tensor"
)

// Vectors are, by unit of g, what tells its units apart: rows and parameters of
// all links, each divided by the root mean square of its link over the group, so
// that all links count alike. Units with equal vectors compute the
// same.
func (a *Analysis) Vectors(g *Group) [][]float64 {
	return g.vectors((*Link).computes, (*Link).numbers)
}

// Columns are, by unit of g, all that is multiplied by its channels, in the order
// of the links.
func (a *Analysis) Columns(g *Group) [][]float64 {
	return g.vectors(func(l *Link) bool { return l.Role == Column }, (*Link).numbers)
}

// computes reports whether the link computes or changes its units.
func (l *Link) computes() bool { return l.Role != Column }

// numbers are those of the constant; they are not to be changed.
func (l *Link) numbers() []float64 { return tensor.Float64s(l.Value().Const) }

// Parts are what Vectors consists of, link by link, as it is: by unit of g, the
// numbers of its rows or parameters.
func (a *Analysis) Parts(g *Group) iter.Seq2[*Link, [][]float64] {
	return g.parts((*Link).computes, (*Link).numbers)
}

func (g *Group) parts(of func(*Link) bool, numbers func(*Link) []float64) iter.Seq2[*Link, [][]float64] {
	return func(yield func(*Link, [][]float64) bool) {
		for _, l := range g.Links {
			if !of(l) {
				continue
			}
			out := make([][]float64, len(g.Units))
			one := func(k *Link) bool { return k == l }
			g.visit(one, numbers, func(i int, part []float64) { out[i] = append(out[i], part...) })
			if !yield(l, out) {
				return
			}
		}
	}
}

func (g *Group) vectors(of func(*Link) bool, numbers func(*Link) []float64) [][]float64 {
	out := make([][]float64, len(g.Units))
	for l, part := range g.parts(of, numbers) {
		if l.computes() {
			level(part)
		}
		for i, x := range part {
			out[i] = append(out[i], x...)
		}
	}
	return out
}

// visit calls f with the numbers of every unit, part by part, in the links that of
// selects; i is the place of the unit in the group.
func (g *Group) visit(of func(*Link) bool, numbers func(*Link) []float64, f func(i int, part []float64)) {
	index := make(map[int]int, len(g.Units))
	for i, u := range g.Units {
		index[u] = i
	}
	for _, l := range g.Links {
		if of(l) {
			l.visit(numbers(l), index, f)
		}
	}
}

func (l *Link) visit(x []float64, index map[int]int, f func(i int, part []float64)) {
	c := l.Value().Const
	size, inner := c.Shape[l.Axis], tensor.Len(c.Shape[l.Axis+1:])
	outer := len(x) / max(1, size*inner)
	for p, u := range l.Units {
		i, ok := index[u]
		if !ok {
			continue
		}
		for o := range outer {
			if o*l.Groups/outer == p/size {
				at := (o*size + p%size) * inner
				f(i, x[at:at+inner])
			}
		}
	}
}

// level divides vectors by the root mean square of all their numbers.
func level(x [][]float64) {
	sum, n := 0.0, 0
	for _, v := range x {
		for _, z := range v {
			sum += z * z
		}
		n += len(v)
	}
	if sum == 0 {
		return
	}
	rms := math.Sqrt(sum / float64(n))
	for _, v := range x {
		for k := range v {
			v[k] /= rms
		}
	}
}
