package prune

import (
	"math"

	"pare/group"
	"pare/internal/par"
)

// joint holds the joint vectors of a group's units: what computes and changes a
// unit on its way, in one row. Two units with equal vectors compute the same, so
// that one can stand for both (RED, step 2). Channels that may be scaled have
// norm 1. The parts of every node are divided by their root mean square over the
// group, so that all nodes count alike.
type joint struct {
	n, width int
	data     []float32 // n rows
}

// row is the vector of unit i.
func (j *joint) row(i int) []float32 { return j.data[i*j.width:][:j.width] }

// member is a constant's share of the vectors.
type member struct {
	link  *group.Link
	at    [][]int // by unit: its positions along the link's axis
	width int     // of a position
}

// newJoint reads the vectors of g.
func newJoint(g *group.Group, s *scales, threads int) *joint {
	var members []member
	j := &joint{n: len(g.Units)}
	for _, l := range g.Links {
		if l.Role != group.Column {
			m := newMember(g, l)
			members = append(members, m)
			j.width += len(m.at[0]) * m.width
		}
	}
	j.data = make([]float32, j.n*j.width)
	from := 0
	for _, m := range members {
		m.copyTo(j, s, from, threads)
		from += len(m.at[0]) * m.width
	}
	j.balance(members, threads)
	return j
}

// newMember finds the positions of a group's units along a link.
func newMember(g *group.Group, l *group.Link) member {
	place := make(map[int]int, len(g.Units))
	for i, u := range g.Units {
		place[u] = i
	}
	c := l.Value().Const
	m := member{link: l, at: make([][]int, len(g.Units)), width: c.Len() / max(1, c.Shape[l.Axis])}
	for k, u := range l.Units {
		if i, ok := place[u]; ok {
			m.at[i] = append(m.at[i], k)
		}
	}
	return m
}

// copyTo writes the elements of every unit to the vectors, from entry from on.
func (m member) copyTo(j *joint, s *scales, from, threads int) {
	par.Each(j.n, threads, func(i int) {
		dst := j.row(i)[from:]
		for _, k := range m.at[i] {
			f := float32(s.factor(m.link, k))
			s.each(m.link, k, func(part []float32) {
				for n, v := range part {
					dst[n] = v * f
				}
				dst = dst[len(part):]
			})
		}
	})
}

// balance divides the parts of every node by the root mean square of their norms.
func (j *joint) balance(members []member, threads int) {
	type span struct{ from, to int }
	spans, nodes := map[any][]span{}, []any{}
	from := 0
	for _, m := range members {
		to := from + len(m.at[0])*m.width
		if spans[m.link.Node] == nil {
			nodes = append(nodes, m.link.Node)
		}
		spans[m.link.Node] = append(spans[m.link.Node], span{from, to})
		from = to
	}
	for _, n := range nodes {
		sums := make([]float64, j.n)
		par.Each(j.n, threads, func(i int) {
			for _, s := range spans[n] {
				sums[i] += energy(j.row(i)[s.from:s.to])
			}
		})
		rms := math.Sqrt(total(sums) / float64(j.n))
		if rms == 0 {
			continue
		}
		par.Each(j.n, threads, func(i int) {
			for _, s := range spans[n] {
				multiply(j.row(i)[s.from:s.to], float32(1/rms))
			}
		})
	}
}

// energy is the sum of squares.
func energy(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

func multiply(x []float32, f float32) {
	for i := range x {
		x[i] *= f
	}
}
